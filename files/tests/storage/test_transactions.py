"""What changes several rows is tried again where the database gave it up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction

from files.actors import SYSTEM
from files.exceptions import StorageBusyError
from files.models import Space
from files.services import bulk, deletion
from files.storage import in_transaction, transactions
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def deadlock() -> OperationalError:
    """Return the error as MySQL's driver raises it."""
    return OperationalError(1213, "Deadlock found when trying to get lock")


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run each work in a thread of its own and return what they returned."""

    def run(work: Callable[[], object]) -> object:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as executor:
        return list(executor.map(run, works))


@pytest.mark.skipif(connection.vendor == "sqlite", reason="about MySQL and PostgreSQL: deadlocks")
def test_of_two_that_wait_for_each_other_both_come_through() -> None:
    ids = [Space.objects.create(name=name).pk for name in ("first", "second")]
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def rename(order: list[int], suffix: str) -> None:
        runs.append(suffix)
        Space.objects.filter(pk=order[0]).update(name=f"{order[0]} {suffix}")
        if len(runs) <= 2:
            both_hold_one.wait(10)
        Space.objects.filter(pk=order[1]).update(name=f"{order[1]} {suffix}")

    change = in_transaction(rename)
    at_once(lambda: change(ids, "down"), lambda: change(ids[::-1], "up"))
    assert len(runs) == 3
    names = {space.name.split()[1] for space in Space.objects.filter(pk__in=ids)}
    assert len(names) == 1


def test_nothing_of_a_run_that_was_given_up_stays() -> None:
    tries: list[int] = []

    def work() -> str:
        tries.append(Space.objects.create(name=f"try {len(tries)}").pk)
        if len(tries) < 3:
            raise deadlock()
        return "done"

    assert in_transaction(work)() == "done"
    assert [space.name for space in Space.objects.filter(pk__in=tries)] == ["try 2"]


def test_who_never_comes_through_is_told_to_try_again() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise deadlock()

    with pytest.raises(StorageBusyError):
        in_transaction(work)()
    assert len(tries) == 1 + len(transactions.PAUSES_S)


def test_other_errors_are_not_tried_again() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        in_transaction(work)()
    assert len(tries) == 1


def test_within_a_transaction_the_outermost_is_tried_again() -> None:
    tries: list[int] = []

    @in_transaction
    def inner() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise deadlock()

    in_transaction(inner)()
    assert len(tries) == 2
    with pytest.raises(StorageBusyError), transaction.atomic():
        tries.clear()
        inner()
    assert len(tries) == 1


def test_group_of_a_bulk_action_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [make_file() for _ in range(3)]
    failing = iter([False, True, False, False, False])
    real = deletion.locked_file

    def locked_file(*args: object, **kwargs: object) -> object:
        if next(failing):
            raise deadlock()
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(deletion, "locked_file", locked_file)
    results = list(bulk.trash(SYSTEM, [file.pk for file in files]))
    assert results == [(file.pk, None) for file in files]
