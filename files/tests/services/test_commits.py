from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection, connections

from files.models import Space
from files.services.commits import Commits

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="elsewhere nothing is shared"),
]


def write(name: str) -> Callable[[], None]:
    def work() -> None:
        Space.objects.create(name=name)

    return work


def fail() -> None:
    write("never there")()
    raise ValueError("this one")


def give_up() -> None:
    """Do as SQLite does when the disk is full: the whole transaction is gone."""
    with connection.cursor() as cursor:
        cursor.connection.rollback()
    raise OSError("gone")


class Crowd:
    """Threads whose works wait for each other, so that all but the first share."""

    def __init__(self, *works: Callable[[], None]) -> None:
        self.commits = Commits()
        self.writers: list[int] = []
        self.errors: dict[int, BaseException] = {}
        self._may_go = threading.Event()
        first = threading.Thread(target=self._run, args=(-1, self._wait_for_all))
        first.start()
        while not self.writers:
            time.sleep(0.01)
        threads = [
            threading.Thread(target=self._run, args=(number, work))
            for number, work in enumerate(works)
        ]
        for thread in threads:
            thread.start()
            # One after the other, so that they wait in this order.
            while len(self.commits._waiting) <= threads.index(thread):
                time.sleep(0.01)
        self._may_go.set()
        for thread in [first, *threads]:
            thread.join(20)
            assert not thread.is_alive()

    def _wait_for_all(self) -> None:
        self._may_go.wait(20)

    def _run(self, number: int, work: Callable[[], None]) -> None:
        def noted() -> None:
            self.writers.append(threading.get_ident())
            work()

        try:
            self.commits.share(noted)
        except Exception as error:  # noqa: BLE001  # looked at by the test
            self.errors[number] = error
        finally:
            connections.close_all()


def names() -> set[str]:
    return set(Space.objects.exclude(pk=1).values_list("name", flat=True))


def test_those_who_wait_share_a_transaction():
    crowd = Crowd(*(write(str(number)) for number in range(5)))
    assert len(set(crowd.writers[1:])) == 1
    assert names() == set("01234")


def test_one_that_fails_leaves_the_others_alone():
    crowd = Crowd(write("a"), fail, write("b"))
    assert [str(error) for error in crowd.errors.values()] == ["this one"]
    assert crowd.errors.keys() == {1}
    assert names() == {"a", "b"}


@pytest.mark.parametrize("works", [(write("a"), give_up, write("b")), (give_up, write("a"))])
def test_nobody_is_told_of_success_when_the_transaction_is_gone(works):
    crowd = Crowd(*works)
    assert crowd.errors.keys() == set(range(len(works)))
    assert names() == set()


def test_a_lone_failure_is_rolled_back():
    with pytest.raises(ValueError, match="this one"):
        Commits().share(fail)
    assert names() == set()


def test_the_next_one_is_served_after_a_failure():
    commits = Commits()
    with pytest.raises(ValueError, match="this one"):
        commits.share(fail)
    commits.share(write("a"))
    assert names() == {"a"}


def test_no_more_than_so_many_share(monkeypatch):
    monkeypatch.setattr("files.services.commits.MOST", 2)
    crowd = Crowd(*(write(str(number)) for number in range(5)))
    assert len(set(crowd.writers[1:])) == 3
    assert names() == set("01234")


def test_a_locked_database_is_waited_for_once(monkeypatch):
    """Else each who waits would wait as long again, one after the other."""
    tries: list[int] = []

    @contextlib.contextmanager
    def locked() -> Iterator[None]:
        tries.append(threading.get_ident())
        if len(tries) > 1:
            raise OperationalError("database is locked")
        yield

    monkeypatch.setattr("files.services.commits.transaction.atomic", locked)
    crowd = Crowd(*(write(str(number)) for number in range(5)))
    assert len(crowd.errors) == 5
    assert len(tries) == 2
