"""Connections to a database server are shared by all threads; see test_pooling.py for the pool."""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import Client

from files.models import Space
from files.storage import release_connection
from files.tests.running_server import wait_until
from fileserver import pooling

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's connections are not pooled"),
]


@pytest.fixture(autouse=True)
def pool(settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[pooling.Pool]:
    """Give the test a pool of its own, of two connections, for which nobody waits long."""
    connection.close()
    monkeypatch.setattr(pooling, "_pools", {})
    monkeypatch.setattr(pooling, "WAIT_S", 0.2)
    settings.FILESERVER_DATABASE_CONNECTIONS = 2
    pool: pooling.Pool = connection._pool()  # type: ignore[attr-defined]
    yield pool
    connection.close()
    gc.collect()  # Connections of threads that ended.
    pool.close_idle()


def session_id() -> int:
    """Return the id that the database server gave the connection of this thread."""
    call = {"mysql": "CONNECTION_ID()", "postgresql": "pg_backend_pid()"}[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {call}")
        return int(cursor.fetchone()[0])


def in_thread(work: object) -> object:
    """Run the work in a thread of its own, which closes its connection as a request does."""

    def run() -> object:
        try:
            return work()  # type: ignore[operator]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(run).result()


def test_released_connection_serves_the_next_thread() -> None:
    mine = session_id()
    release_connection()
    assert in_thread(session_id) == mine


def test_connection_stays_while_a_transaction_is_open() -> None:
    with transaction.atomic():
        mine = session_id()
        release_connection()
        assert session_id() == mine
        assert in_thread(session_id) != mine


def test_many_threads_take_turns_at_few_connections() -> None:
    seen = set()
    gate = threading.Barrier(16)

    def work() -> None:
        gate.wait()
        for _ in range(10):
            seen.add(session_id())
            release_connection()

    with ThreadPoolExecutor(16) as executor:
        for done in [executor.submit(work) for _ in range(16)]:
            done.result()
    assert 1 <= len(seen) <= 2


def test_who_waits_in_vain_is_told_and_others_go_on() -> None:
    with transaction.atomic():
        session_id()

        def work() -> None:
            with transaction.atomic():
                session_id()
                with pytest.raises(OperationalError, match="all 2 database connections"):
                    in_thread(session_id)

        in_thread(work)
    assert in_thread(session_id)


def test_full_pool_is_503_with_retry_after(client: Client) -> None:
    with transaction.atomic():
        session_id()

        def work() -> None:
            with transaction.atomic():
                session_id()
                answer = in_thread(lambda: Client().get("/files"))
                assert answer.status_code == 503  # type: ignore[attr-defined]
                assert answer["Retry-After"]  # type: ignore[index]

        in_thread(work)


def test_connection_that_the_server_ended_is_not_handed_out(pool: pooling.Pool) -> None:
    with transaction.atomic():
        session_id()
        resting = in_thread(session_id)
        end_session(int(str(resting)))
        wait_until(pool._idle[0].is_ended, 10)
        assert in_thread(session_id) != resting


def end_session(session: int) -> None:
    statement = {"mysql": "KILL %s", "postgresql": "SELECT pg_terminate_backend(%s)"}
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor], [session])


def test_transaction_left_open_is_not_handed_on(pool: pooling.Pool) -> None:
    transaction.set_autocommit(False)
    Space.objects.update(name="left open")
    mine = session_id()
    connection.close()
    assert in_thread(session_id) != mine
    assert not Space.objects.filter(name="left open").exists()


def test_connection_of_a_thread_that_ended_without_a_word_counts_no_more() -> None:
    for _ in range(5):
        thread = threading.Thread(target=session_id)
        thread.start()
        thread.join()
    assert session_id()


def test_idle_connection_is_closed_after_a_while(
    pool: pooling.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = session_id()
    release_connection()
    monkeypatch.setattr(pooling, "IDLE_S", 0.0)
    assert session_id() != mine


def test_machine_that_is_gone_is_noticed() -> None:
    connection.ensure_connection()
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as duplicate:
        assert duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        wait_ms = duplicate.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert wait_ms == pooling.DEAD_PEER_S * 1000
    assert session_id()
