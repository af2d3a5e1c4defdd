"""Tells what a database error means for the person who waits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

from files.exceptions import StorageBusyError, StorageFullError, gettext_noop

# SQLite's words; MySQL's error numbers; PostgreSQL's SQLSTATE classes.
_FULL = ("disk is full", "No space left", "table is full", "1114", "1021", "could not extend file")
_NO_SPACE = gettext_noop("There is no room left to store this; nothing was changed.")
_BUSY = gettext_noop(
    "The database is busy or away for the moment; nothing was changed. Please try again."
)


@contextlib.contextmanager
def told_in_words() -> Iterator[None]:
    """Turn the database's refusal into StorageFullError or StorageBusyError."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        text = str(error)
        if any(word in text for word in _FULL):
            raise StorageFullError(_NO_SPACE) from error
        raise StorageBusyError(_BUSY) from error
