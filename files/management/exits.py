"""How commands end: with which exit status, and in a sentence instead of a traceback.

Entry points: FilesCommand, the base of the commands, and what it is made of, orderly_end
and require_database.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.management.base import (
    BaseCommand,
    CommandError,
    OutputWrapper,
    SystemCheckError,
)
from django.db import Error, connection

from files.doctor.database import MIGRATE, has_database, migrations
from files.doctor.findings import Status
from files.exceptions import FilesError, StorageFullError
from files.models import File

FAILED = 1  # something was found wrong or failed, or the disk is full
USAGE = 2
BROKEN_OFF = 3  # the database is away, busy or without tables: what is left is not known
INTERRUPTED = 130  # Ctrl-C: 128 and the number of SIGINT, as shells have it

# What the databases say when a table or a column is not there, and when they are locked.
_BEHIND = ("no such table", "no such column", "doesn't exist", "does not exist", "unknown column")
_BUSY = ("is locked", "lock wait timeout", "deadlock", "lock timeout", "lock not available")


class FilesCommand(BaseCommand):
    """A command that ends as the README's table of exit statuses says."""

    requires_migrations_checks = True
    # Said after Ctrl-C and when it is broken off: what becomes of the work until then.
    goes_on: ClassVar[str] = ""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with orderly_end(self, self.goes_on):
            return super().execute(*args, **options)

    def check_migrations(self) -> None:
        """Look whether the database can be worked with at all, before anything is begun."""
        require_database(self.stderr)


@contextlib.contextmanager
def orderly_end(command: BaseCommand, goes_on: str = "") -> Iterator[None]:
    """Turn Ctrl-C and the database's errors into a sentence and an exit status.

    A command that counted something tells it, and raises KeyboardInterrupt again.
    """
    try:
        with _heeding_ctrl_c():
            yield
    except KeyboardInterrupt:
        command.stderr.write(f"Interrupted. {goes_on}".rstrip())
        sys.exit(INTERRUPTED)
    except SystemCheckError as error:
        # Nothing was looked at, so nothing was found either.
        error.returncode = BROKEN_OFF
        raise
    except FilesError as error:
        status = FAILED if isinstance(error, StorageFullError) else BROKEN_OFF
        raise CommandError(f"{error} {goes_on}".rstrip(), returncode=status) from error
    except Error as error:
        text = f"Broken off: {in_words(error)} {goes_on}".rstrip()
        raise CommandError(text, returncode=BROKEN_OFF) from error


def require_database(stderr: OutputWrapper) -> None:
    """Raise CommandError or DatabaseError unless there is a database with our tables; say
    so where it is behind. SQLite would make a new file where there is none.
    """
    if not has_database():
        name = connection.settings_dict["NAME"]
        text = f"There is no database at {name} yet. {MIGRATE}"
        raise CommandError(text, returncode=BROKEN_OFF)
    File.everything.exists()
    for finding in migrations():
        if finding.status is Status.PROBLEM:
            stderr.write(f"Migrations: {finding.text} {finding.hint}")


def in_words(error: Exception) -> str:
    """Return what the database said, on a line, and what can be done."""
    line = " ".join(str(error).split()).rstrip(".")
    said = line.lower()
    if any(words in said for words in _BEHIND):
        hint = f"The database is behind. {MIGRATE}"
    elif any(words in said for words in _BUSY):
        hint = "Another program holds it; try again later."
    else:
        hint = "manage.py doctor looks into it."
    return f"{line}. {hint}"


@contextlib.contextmanager
def _heeding_ctrl_c() -> Iterator[None]:
    """Let SIGINT interrupt although it was ignored when this process began.

    So it is in the background of a shell script, where Python leaves it so; whoever sends
    SIGINT to a long command wants it to end in order.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
