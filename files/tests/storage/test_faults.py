"""What errors of each database mean, by the words and numbers that their drivers give."""

from __future__ import annotations

import pytest
from django.db import (
    DatabaseError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)

from files.exceptions import FilesError, ServerBusyError, StorageBusyError, StorageFullError
from files.storage import is_away, is_full, is_transient, refusal_of, told_in_words


class PsycopgError(Exception):
    """Stands for psycopg's errors: the client's own have no state."""

    def __init__(self, text: str, sqlstate: str | None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


def of_postgresql(state: str | None, kind: type[Error] = OperationalError) -> Error:
    """Return the error as Django passes it on."""
    error = kind("in words")
    error.__cause__ = PsycopgError("in words", state)
    return error


def of_mysql(number: int, kind: type[Error] = OperationalError, text: str = "in words") -> Error:
    return kind(number, text)


TRANSIENT = [
    *(of_mysql(number) for number in (1020, 1205, 1213, 1614, 3572)),
    *(of_postgresql(state) for state in ("40001", "40P01", "55P03")),
]
AWAY = [
    *(of_mysql(number) for number in (1040, 1041, 1053, 1203, 1317, 1927, 2002, 2003, 2006, 2013)),
    of_mysql(0, InterfaceError, ""),
    of_mysql(1290),
    of_mysql(2014, ProgrammingError),
    *(of_postgresql(state) for state in ("08006", "53300", "57P01", "57P02", "57P03", "57014")),
    of_postgresql("25006", InternalError),
    of_postgresql(None),
    of_postgresql(None, InterfaceError),
    ProgrammingError("Cannot open a new connection in an atomic block."),
]
FULL = [
    OperationalError("database or disk is full"),
    of_mysql(1021),
    of_mysql(1114),
    of_mysql(1030, text='Got error 28 "No space left on device" from storage engine InnoDB'),
    of_mysql(3, InternalError, 'Error writing file (Errcode: 28 "No space left on device")'),
    of_postgresql("53100"),
]
ABOUT_SOMETHING_ELSE = [
    of_mysql(1062, IntegrityError),
    of_mysql(1064, ProgrammingError),
    of_mysql(1146, ProgrammingError),
    of_postgresql("23505", IntegrityError),
    of_postgresql("42P01", ProgrammingError),
    of_postgresql("25P02", InternalError),
    DatabaseError("database disk image is malformed"),
    ValueError(2013),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_what_was_rolled_back_may_be_run_again(error):
    assert (is_transient(error), is_away(error), is_full(error)) == (True, False, False)
    assert isinstance(refusal_of(error), StorageBusyError)


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_nothing_is_run_again_on_a_database_that_is_away(error):
    assert (is_transient(error), is_away(error), is_full(error)) == (False, True, False)
    # What became of a commit under way is not known, and nothing is said of it.
    assert str(refusal_of(error)) == "The database is away for the moment. Please try again."


@pytest.mark.parametrize("error", FULL, ids=repr)
def test_a_full_database_is_neither_busy_nor_away(error):
    assert (is_transient(error), is_away(error), is_full(error)) == (False, False, True)
    assert isinstance(refusal_of(error), StorageFullError)


@pytest.mark.parametrize("error", ABOUT_SOMETHING_ELSE, ids=repr)
def test_other_errors_are_not_hidden_behind_a_busy_database(error):
    assert refusal_of(error) is None
    with pytest.raises(type(error)), told_in_words():
        raise error


@pytest.mark.parametrize("error", [*TRANSIENT, *AWAY, *FULL], ids=repr)
def test_services_tell_it_in_words(error):
    with pytest.raises(FilesError) as told, told_in_words():
        raise error
    assert told.value.__cause__ is error


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_the_cause_of_what_was_told_and_of_what_was_caught_is_known(error):
    told = StorageBusyError("The database is busy.")
    told.__cause__ = error
    assert is_transient(told)
    assert is_transient(error.__cause__ or error)


def test_a_locked_sqlite_is_busy_and_has_waited_long_enough():
    error = OperationalError("database is locked")
    assert not is_transient(error) and not is_away(error)
    assert "nothing was changed" in str(refusal_of(error))


@pytest.mark.parametrize("error", [StorageBusyError("So."), ServerBusyError("So.")], ids=repr)
def test_what_was_told_already_stays_as_it_is(error):
    assert refusal_of(error) is error
