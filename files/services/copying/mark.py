"""Marks a database as a copy, and tells whether a library may be copied into it.

Entry points: prepare_target, finish and unfinished_copy. The target keeps a small table of its
own, `copy_library`: of which library it is a copy, how far that is, and how it looked when it was
whole. A target that was used since is somebody's library, and never touched.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, Max, Model

from files.actors import DEFAULT_SPACE_ID
from files.models import Event, File, Space
from files.services.copying.databases import (
    CopyRefusedError,
    connect,
    described,
    has_library,
    on_a_line,
    require_this_version,
    table_names,
)
from files.services.copying.rows import copied_models

MARK = "copy_library"
COLUMNS = ("run", "library", "state", "seen")
# Without all tables yet; without all rows; equal to its source.
MAKING, COPYING, COMPLETE = "making", "copying", "complete"
ADVICE = "Make an empty database and name that one."


def prepare_target(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper) -> str:
    """Make the target ready for a run and return the run's name; it is unfinished from now on.

    Raises CopyRefusedError, with nothing changed, where it holds something else.
    """
    connect(target, "target")
    require_usable(source, target)
    marked = _mark(target)
    is_new = marked is None or marked["state"] == MAKING
    if MARK not in table_names(target):
        with target.cursor() as cursor:
            columns = ", ".join(f"{name} VARCHAR(64) NOT NULL" for name in COLUMNS)
            cursor.execute(f"CREATE TABLE {MARK} ({columns})")
    mark = {"run": secrets.token_hex(16), "library": _library(source), "seen": ""}
    _set_mark(target, **mark, state=MAKING if is_new else COPYING)
    if (_mark(source) or {}).get("run") == mark["run"]:
        if marked:
            _set_mark(target, **marked)
        else:
            _remove_mark(target)
        raise CopyRefusedError("The source and the target are the same database.")
    if marked and is_new:
        _drop_half_made(target)
    _migrate(target)
    require_this_version(target, "target")
    _set_mark(target, **mark, state=COPYING)
    return mark["run"]


def require_usable(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper) -> None:
    """Raise CopyRefusedError unless the target is empty, or an unused copy of the source."""
    marked = _mark(target)
    if marked is None:
        _require_empty(target)
        return
    if marked["library"] != _library(source):
        raise CopyRefusedError(f"The target is a copy of another library. {ADVICE}")
    if has_library(target) and _was_used(source, target, marked):
        raise CopyRefusedError(
            "The target was used since it was copied, or the source was set back to an older "
            f"state: copying again would undo what was done there. {ADVICE}"
        )


def require_mine(target: BaseDatabaseWrapper, run: str) -> None:
    """Raise CopyRefusedError where another run has begun since; one query."""
    with target.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {MARK} WHERE run = %s", [run])  # noqa: S608
        if cursor.fetchone() != (1,):
            raise CopyRefusedError("Another copy_library writes to this target; this one ends.")


def finish(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper, run: str) -> None:
    """Mark the copy as whole; in the caller's transaction. Raises CopyRefusedError."""
    require_mine(target, run)
    seen = _look_of(target)
    _set_mark(target, run=run, library=_library(source), state=COMPLETE, seen=seen)


def unfinished_copy() -> str:
    """Return why the configured database is not to be served yet, "" if it may be.

    One query, or two where `copy_library` wrote to it once.
    """
    marked = _mark(connection)
    if marked is None or marked["state"] == COMPLETE:
        return ""
    return (
        f"The database {described(connection)} is an unfinished copy of a library: run "
        "manage.py copy_library again, with the same source and target, until it says that the "
        "copy is complete."
    )


def _mark(database: BaseDatabaseWrapper) -> dict[str, str] | None:
    """Return what the database's own table says, None where there is none."""
    if MARK not in table_names(database):
        return None
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM {MARK}")  # noqa: S608  # of names only
        row = cursor.fetchone()
    # Ended between making the table and filling it.
    return dict(zip(COLUMNS, row, strict=True)) if row else None


def _set_mark(target: BaseDatabaseWrapper, **values: str) -> None:
    marks = ", ".join(["%s"] * len(COLUMNS))
    with transaction.atomic(using=target.alias), target.cursor() as cursor:
        cursor.execute(f"DELETE FROM {MARK}")  # noqa: S608
        cursor.execute(
            f"INSERT INTO {MARK} ({', '.join(COLUMNS)}) VALUES ({marks})",  # noqa: S608
            [values[name] for name in COLUMNS],
        )


def _remove_mark(target: BaseDatabaseWrapper) -> None:
    with target.cursor() as cursor:
        cursor.execute(f"DROP TABLE {MARK}")


def _library(source: BaseDatabaseWrapper) -> str:
    """Return what tells the library from others: when its first space was made, to the µs."""
    spaces = Space.objects.using(source.alias).order_by("pk").values_list("pk", "created_at")
    return _digest(spaces.first())


def _look_of(database: BaseDatabaseWrapper) -> str:
    """Return what any use changes: numbers of rows, newest ids, last changes and log-ins."""
    latest: dict[type[Model], str] = {File: "updated_at", get_user_model(): "last_login"}
    looks: list[Any] = []
    for model in copied_models():
        found = {"rows": Count("pk"), "newest": Max("pk")}
        if model in latest:
            found["latest"] = Max(latest[model])
        looks.append(model._base_manager.using(database.alias).aggregate(**found))
    return _digest(looks)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _was_used(
    source: BaseDatabaseWrapper, target: BaseDatabaseWrapper, marked: dict[str, str]
) -> bool:
    if marked["state"] == MAKING:
        return False
    if marked["state"] == COMPLETE:
        require_this_version(target, "target")
        return _look_of(target) != marked["seen"]
    # While it was copied into, only what is done with files and labels can be told.
    columns = ("pk", "name", "object_id", "created_at")
    newest = Event.objects.using(target.alias).order_by("-pk").values(*columns).first()
    return newest is not None and not Event.objects.using(source.alias).filter(**newest).exists()


def _require_empty(target: BaseDatabaseWrapper) -> None:
    tables = table_names(target) - {MARK}
    if tables and File._meta.db_table not in tables:
        some = ", ".join(sorted(tables)[:5])
        raise CopyRefusedError(f"The target is not empty: it has the tables {some}. {ADVICE}")
    for model in copied_models() if tables else ():
        rows = model._base_manager.using(target.alias)
        # What `migrate` makes.
        if model in (ContentType, Permission) or model._meta.db_table not in tables:
            continue
        if model is Space:
            rows = rows.exclude(pk=DEFAULT_SPACE_ID)
        if rows.exists():
            name = model._meta.verbose_name_plural
            raise CopyRefusedError(
                f"The target is not empty: there are {name} in {described(target)}, which is no "
                f"copy of this library. {ADVICE}"
            )


def _drop_half_made(target: BaseDatabaseWrapper) -> None:
    """Remove the tables that an earlier run was ended in making: begun again, `migrate` may fail.

    It may note a migration only after its transaction, and MySQL has none for tables. The
    database was empty before, and nobody could use it since: there are no files.
    """
    tables = table_names(target) - {MARK}
    if others := tables - {*target.introspection.django_table_names(), "django_migrations"}:
        some = ", ".join(sorted(others)[:5])
        raise CopyRefusedError(f"The target has tables of somebody else: {some}. {ADVICE}")
    if File._meta.db_table in tables and File.everything.using(target.alias).exists():
        raise CopyRefusedError(f"The target is not empty: it has files. {ADVICE}")
    with target.constraint_checks_disabled(), target.cursor() as cursor:
        for table in tables:
            name = target.ops.quote_name(table)
            cursor.execute(target.SchemaEditorClass.sql_delete_table % {"table": name})


def _migrate(target: BaseDatabaseWrapper) -> None:
    try:
        call_command("migrate", database=target.alias, interactive=False, verbosity=0)
    except Error as error:
        raise CopyRefusedError(
            f"The tables cannot be made in the target: {on_a_line(error)}."
        ) from error
