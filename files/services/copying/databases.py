"""Opens the databases of a copy, beside the one that is configured.

Entry points: opened, connect and require_source. No part of an address is ever shown but what
`described` returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ConnectionHandler
from django.utils.module_loading import import_string

from files.models import Content, File


class CopyRefusedError(Exception):
    """The databases cannot be used for this copy; `str()` tells the operator why."""


class UnreachableError(Exception):
    """A database cannot be opened for the moment; `str()` tells which and why."""


@contextmanager
def opened(url: str, alias: str) -> Iterator[BaseDatabaseWrapper]:
    """Let this thread's ORM know the database at `url` as `alias` meanwhile; asks it nothing.

    Raises CopyRefusedError where the address is none, which tells no part of it.
    """
    read = import_string(settings.FILESERVER_DATABASE_SETTINGS)
    try:
        connections[alias] = ConnectionHandler({"default": {}, alias: read(url)})[alias]
    except ImproperlyConfigured as error:
        raise CopyRefusedError(str(error)) from error
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias]


def connect(database: BaseDatabaseWrapper, side: str) -> None:
    """Connect; raises CopyRefusedError or UnreachableError that tells which side it is."""
    file = sqlite_file(database)
    if file is not None and not file.parent.is_dir():
        raise CopyRefusedError(f"The {side} cannot be opened: there is no folder {file.parent}.")
    try:
        database.ensure_connection()
    except Error as error:
        raise UnreachableError(f"The {side} cannot be opened: {on_a_line(error)}.") from error
    except (TypeError, ValueError) as error:
        # What drivers make of options that they do not know.
        raise CopyRefusedError(f"The {side} cannot be opened: {on_a_line(error)}.") from error


def described(database: BaseDatabaseWrapper) -> str:
    """Return the database's kind, name and host, and nothing that is secret."""
    if (file := sqlite_file(database)) is not None:
        return f"{database.display_name} {file}"
    found = database.settings_dict
    return f"{database.display_name} {found['NAME']} at {found['HOST'] or 'this machine'}"


def sqlite_file(database: BaseDatabaseWrapper) -> Path | None:
    """Return SQLite's file, None for other databases."""
    if database.vendor != "sqlite":
        return None
    return Path(str(database.settings_dict["NAME"])).absolute()


def has_library(database: BaseDatabaseWrapper) -> bool:
    """Tell whether there are tables of ours; SQLite would make a file of the question."""
    file = sqlite_file(database)
    return (file is None or file.exists()) and File._meta.db_table in table_names(database)


def require_source(source: BaseDatabaseWrapper) -> None:
    """Raise CopyRefusedError unless there is a library that can be read as this version does."""
    file = sqlite_file(source)
    if file is not None and not file.is_file():
        raise CopyRefusedError(f"There is no database {file} to copy from.")
    connect(source, "source")
    if not has_library(source):
        raise CopyRefusedError(f"There is no library in {described(source)}.")
    require_this_version(source, "source")
    if elsewhere := _contents_elsewhere(source):
        raise CopyRefusedError(
            f"The bytes of {elsewhere:,} contents are not in {described(source)} but in objects, "
            "which this command does not copy yet."
        )


def on_a_line(error: Exception) -> str:
    """Return what the database said."""
    return " ".join(str(error).split()).rstrip(".")


def _contents_elsewhere(database: BaseDatabaseWrapper) -> int:
    contents = Content.objects.using(database.alias)
    return contents.exclude(home=Content.Home.DATABASE).count()


def table_names(database: BaseDatabaseWrapper) -> set[str]:
    """Return the names of all tables; one query."""
    return set(database.introspection.table_names())


def require_this_version(database: BaseDatabaseWrapper, side: str) -> None:
    """Raise CopyRefusedError unless just the migrations of this version are applied."""
    executor = MigrationExecutor(database)
    loader = executor.loader
    known = {app for app, _ in loader.disk_migrations}
    newer = [
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in known and (app, name) not in loader.disk_migrations
    ]
    if newer:
        raise CopyRefusedError(
            f"The {side} was made by a newer version of this server ({', '.join(sorted(newer))})."
        )
    if plan := executor.migration_plan(loader.graph.leaf_nodes()):
        raise CopyRefusedError(
            f"The {side} is behind: {len(plan)} migrations are to be applied. Run manage.py "
            "migrate on it first (make run does)."
        )
