"""A pool of connections, of which it asks no more than a file descriptor and to be closed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from fileserver import pooling

FOREVER_S = 60.0  # that a thread may take before it hangs


class Raw:
    """A connection as a driver makes it, and the end of it that is the server's."""

    def __init__(self) -> None:
        self.mine, self.servers = socket.socketpair()
        self.is_closed = False

    def fileno(self) -> int:
        return self.mine.fileno()

    def close(self) -> None:
        self.is_closed = True
        self.mine.close()

    def end(self) -> None:
        """Close both ends, at the end of a test."""
        self.mine.close()
        self.servers.close()


@pytest.fixture
def make() -> Iterator[Callable[[], Raw]]:
    """Return a function that makes connections."""
    made: list[Raw] = []

    def make_one() -> Raw:
        made.append(Raw())
        return made[-1]

    yield make_one
    for raw in made:
        raw.end()


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> pooling.Pool:
    """Return a pool of two connections, for which nobody waits long."""
    monkeypatch.setattr(pooling, "WAIT_S", 0.1)
    return pooling.Pool(2)


@pytest.fixture
def lend(pool: pooling.Pool, make: Callable[[], Raw]) -> Callable[[], pooling.Pooled]:
    """Return a function that takes a connection, and makes one where it may."""

    def lend_one() -> pooling.Pooled:
        now = time.monotonic()
        return pool.take() or pooling.Pooled(make(), now, now)

    return lend_one


def test_connection_that_was_given_back_is_lent_again(pool, lend):
    one = lend()
    pool.give(one)
    assert lend() is one


def test_one_that_was_used_last_is_lent_first(pool, lend):
    first, second = lend(), lend()
    pool.give(first)
    pool.give(second)
    assert lend() is second


def test_who_waits_in_vain_is_told_the_setting(pool, lend):
    first, _second = lend(), lend()
    with pytest.raises(TimeoutError, match="all 2 .* in use .FILESERVER_DATABASE_CONNECTIONS."):
        pool.take()
    pool.give(first)
    assert lend() is first


def test_who_waits_gets_what_another_gives_back(pool, lend, monkeypatch):
    monkeypatch.setattr(pooling, "WAIT_S", FOREVER_S)
    first, _second = lend(), lend()
    got: list[pooling.Pooled] = []
    thread = threading.Thread(target=lambda: got.append(lend()))
    thread.start()
    pool.give(first)
    thread.join(FOREVER_S)
    assert got == [first]


def test_place_of_a_connection_that_is_no_more_is_free(pool, lend):
    lend()
    lend()
    pool.give(None)
    assert pool.take() is None


def test_connection_that_the_server_ended_is_closed_and_not_lent(pool, lend):
    one = lend()
    one.raw.servers.close()
    pool.give(one)
    assert lend() is not one
    assert one.raw.is_closed


def test_connection_with_something_unread_is_not_lent(pool, lend):
    one = lend()
    one.raw.servers.send(b"You are being shut down.")
    pool.give(one)
    assert lend() is not one
    assert one.raw.is_closed


def test_closed_connection_is_not_lent(pool, lend):
    one = lend()
    one.raw.close()
    pool.give(one)
    assert lend() is not one


@pytest.mark.parametrize("limit", ["IDLE_S", "OLDEST_S"])
def test_idle_and_old_connections_are_closed(pool, lend, monkeypatch, limit):
    one = lend()
    pool.give(one)
    monkeypatch.setattr(pooling, limit, -1.0)
    assert lend() is not one
    assert one.raw.is_closed


def test_giving_one_back_closes_the_others_that_are_spent(pool, lend):
    first, second = lend(), lend()
    pool.give(first)
    first.used_at -= 2 * pooling.IDLE_S
    pool.give(second)
    assert (first.raw.is_closed, second.raw.is_closed) == (True, False)


def test_only_idle_connections_are_closed_at_the_end(pool, lend):
    first, second = lend(), lend()
    pool.give(first)
    pool.close_idle()
    assert (first.raw.is_closed, second.raw.is_closed) == (True, False)
    pool.give(second)
    assert lend() is second


def test_connection_that_fails_to_close_does_no_harm(pool, lend, monkeypatch):
    one = lend()
    monkeypatch.setattr(one.raw, "close", lambda: 1 / 0)
    pool.give(one)
    pool.close_idle()
    assert lend() is not one


def test_socket_without_a_machine_is_left_as_it_is(make):
    raw = make()
    pooling._notice_a_dead_peer(raw)
    assert raw.mine.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0


def test_many_threads_take_turns_at_few_connections(pool, lend, monkeypatch):
    monkeypatch.setattr(pooling, "WAIT_S", FOREVER_S)
    out: set[int] = set()
    seen: list[bool] = []

    def work() -> None:
        for _ in range(50):
            one = lend()
            seen.append(id(one) not in out and len(out) < pool.most)
            out.add(id(one))
            out.discard(id(one))
            pool.give(one)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FOREVER_S)
    assert seen == [True] * (8 * 50)
