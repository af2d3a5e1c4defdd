"""Tells what a database error means: for whoever waits, and for whoever might try again.

Entry points: told_in_words around what services ask of the database, refusal_of for errors
that came another way; is_transient, is_away and is_full, which look at an error and at nothing
else. All know the numbers of MySQL and MariaDB, PostgreSQL's SQLSTATE and SQLite's words.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import Error, InterfaceError, OperationalError

from files.exceptions import (
    FilesError,
    ServerBusyError,
    StorageBusyError,
    StorageFullError,
    gettext_noop,
)

# The transaction was rolled back, or only its last statement, which Django's atomic makes the
# same: lock time-outs, deadlocks, rows that changed since they were read, certification.
_TRANSIENT = frozenset({1020, 1205, 1213, 1412, 1614, 1689, 3101, 3572})
_TRANSIENT_STATES = frozenset({"40000", "40001", "40P01", "55P03"})
# No server, no connection (any more), none left for us, or one that may only be read from for
# as long as another takes over. What became of a commit under way is not known.
_AWAY = frozenset(
    {1037, 1038, 1040, 1041, 1043, 1053, 1077, 1078, 1079, 1080, 1129, 1135}
    | {1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1203, 1226, 1290}
    | {1317, 1792, 1836, 1927, 1969, 3024, 3168, 4031}
    | {2002, 2003, 2004, 2005, 2006, 2008, 2009, 2012, 2013, 2014, 2026, 2027, 2055}
)
# 57: shut down, killed, starting, timed out; 25006 read only; 25P03 a transaction idle too long.
_AWAY_STATES = ("08", "53", "57", "58", "25006", "25P03", "25P04")
# Django's, where a transaction goes on after its connection broke.
_AWAY_WORDS = ("Cannot open a new connection in an atomic block",)
_FULL = frozenset({1021, 1114})
_FULL_STATE = "53100"
# SQLite's, and the system's, which all kinds of errors quote.
_FULL_WORDS = ("disk is full", "No space left")

_NO_SPACE = gettext_noop("There is no room left to store this; nothing was changed.")
_BUSY = gettext_noop("The database is busy for the moment; nothing was changed. Please try again.")
_GONE = gettext_noop("The database is away for the moment. Please try again.")


@contextlib.contextmanager
def told_in_words() -> Iterator[None]:
    """Turn the database's refusal into StorageFullError or StorageBusyError."""
    try:
        yield
    except Error as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


def refusal_of(error: BaseException) -> FilesError | None:
    """Return what a client is to be told of the database's or the server's state.

    None where the error is about something else, such as a bug of ours.
    """
    if isinstance(error, StorageFullError | StorageBusyError | ServerBusyError):
        return error
    if not isinstance(error, Error):
        return None
    if is_full(error):
        return StorageFullError(_NO_SPACE)
    if is_away(error):
        return StorageBusyError(_GONE)
    if is_transient(error) or isinstance(error, OperationalError | InterfaceError):
        return StorageBusyError(_BUSY)
    return None


def is_transient(error: BaseException) -> bool:
    """Tell whether the transaction, once rolled back, may be run again with hope at once.

    Never for SQLite: who gets an error there has waited for its lock for 30 s.
    """
    return _number(error) in _TRANSIENT or _state(error) in _TRANSIENT_STATES


def is_away(error: BaseException) -> bool:
    """Tell whether there is no database to work with; what a commit did is not known then."""
    state = _state(error)
    if state is not None:
        return state.startswith(_AWAY_STATES) and state != _FULL_STATE
    if _is_of_postgresql(error):
        # The client's own: it could not connect, or the connection broke.
        return isinstance(error, OperationalError | InterfaceError)
    number = _number(error)
    # MySQL's driver gives a closed connection the number 0.
    is_closed = number == 0 and isinstance(error, InterfaceError)
    return number in _AWAY or is_closed or any(word in str(error) for word in _AWAY_WORDS)


def is_full(error: BaseException) -> bool:
    """Tell whether the database has no room left."""
    if _number(error) in _FULL or _state(error) == _FULL_STATE:
        return True
    return isinstance(error, Error) and any(word in str(error) for word in _FULL_WORDS)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what it was made of: ours, then Django's, then the driver's."""
    while error is not None:
        yield error
        error = error.__cause__


def _number(error: BaseException) -> int | None:
    """Return MySQL's error number, None for other databases."""
    numbers = (one.args[0] for one in _causes(error) if one.args and not isinstance(one, OSError))
    return next((number for number in numbers if isinstance(number, int)), None)


def _state(error: BaseException) -> str | None:
    """Return PostgreSQL's SQLSTATE, None for other databases and the client's own errors."""
    states = (getattr(one, "sqlstate", None) for one in _causes(error))
    return next((state for state in states if isinstance(state, str)), None)


def _is_of_postgresql(error: BaseException) -> bool:
    return any(hasattr(one, "sqlstate") for one in _causes(error))
