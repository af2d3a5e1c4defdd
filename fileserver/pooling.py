"""Keeps a bounded number of database connections in a process, for any number of threads.

Entry point: PooledWrapper, a base for Django's backends of database servers. A thread has a
connection only while it queries: `release` gives it to the next one, and so does the end of
each request. Django has such a pool for PostgreSQL only (psycopg's, which after an outage
tries again in ever longer intervals); this one does the same on both.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import queue
import select
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db import OperationalError
from django.db.backends.base.base import NO_DB_ALIAS, BaseDatabaseWrapper

# How long a thread waits for a connection while all are in use: a download that has begun
# would be cut short, and a new request is told to come back.
WAIT_S = 30.0
# After so long without use it is closed, when the next one is taken or given back.
IDLE_S = 60.0
# After so long without use it is asked whether it lives: what lies between may have
# forgotten it without a word. A server that ended it said so, which costs nothing to see.
SILENT_S = 10.0
# After so long without an answer to what was sent, or to a sign of life, a machine is gone: by
# default the system waits for 15 minutes, or for ever where nothing is sent.
DEAD_PEER_S = 30
# A server process gathers memory as it gets older.
OLDEST_S = 600.0


# What connections have to have in common to be lent for one another.
IDENTIFYING = ("ENGINE", "NAME", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS", "TIME_ZONE")


class RawConnection(Protocol):
    """What the drivers' connections have in common."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Pooled:
    """A connection and what the pool knows of it."""

    raw: RawConnection
    made_at: float  # monotonic seconds
    used_at: float

    def is_spent(self, now: float) -> bool:
        """Tell whether it has been idle, or alive, for too long."""
        return now > self.used_at + IDLE_S or now > self.made_at + OLDEST_S

    def is_ended(self) -> bool:
        """Tell whether the server ended it: nothing else can there be to read."""
        try:
            poll = select.poll()
            poll.register(self.raw.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        except Exception:  # noqa: BLE001  # each driver has its own for a closed connection
            return True


class Pool:
    """The connections of one process to one database."""

    def __init__(self, most: int) -> None:
        self.most = most
        # One token a connection that may be. This queue may be used from within `__del__`,
        # which a semaphore may not: it would wait for the thread that it interrupted.
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(most):
            self._tokens.put(None)
        # The longest idle first.
        self._idle: deque[Pooled] = deque()
        self._lock = threading.Lock()

    def take(self) -> Pooled | None:
        """Return an idle connection, None where one may be made; wait until either can be.

        Raises TimeoutError after WAIT_S. Each call is to be followed by one of `give`.
        """
        self._take_token()
        try:
            while pooled := self._pop():
                if not pooled.is_spent(time.monotonic()) and not pooled.is_ended():
                    return pooled
                _close(pooled)
        except BaseException:
            self._tokens.put(None)
            raise
        return None

    def give(self, pooled: Pooled | None) -> None:
        """Take back what `take` allowed; None where the connection is no more."""
        if pooled is not None:
            pooled.used_at = time.monotonic()
            with self._lock:
                self._idle.append(pooled)
        self._tokens.put(None)
        if pooled is not None:
            self._close_spent(pooled.used_at)

    def close_idle(self) -> None:
        """Close what no thread is using."""
        while pooled := self._pop():
            _close(pooled)

    def _take_token(self) -> None:
        with contextlib.suppress(queue.Empty):
            return self._tokens.get(timeout=WAIT_S)
        # Those of threads that ended without closing theirs wait for the collector.
        gc.collect()
        try:
            self._tokens.get_nowait()
        except queue.Empty:
            raise TimeoutError(
                f"all {self.most} database connections of this process are in use"
                " (FILESERVER_DATABASE_CONNECTIONS)"
            ) from None

    def _pop(self) -> Pooled | None:
        """Return the connection that was used last, so that the others may end."""
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _close_spent(self, now: float) -> None:
        spent = []
        with self._lock:
            while self._idle and self._idle[0].is_spent(now):
                spent.append(self._idle.popleft())
        for pooled in spent:
            _close(pooled)


def _close(pooled: Pooled) -> None:
    with contextlib.suppress(Exception):  # The server is away, and there is nobody to tell.
        pooled.raw.close()


def _notice_a_dead_peer(raw: RawConnection) -> None:
    """Have the system end the connection of a machine that is gone; sockets have no machine."""
    with socket.socket(fileno=os.dup(raw.fileno())) as duplicate:
        if duplicate.family not in (socket.AF_INET, socket.AF_INET6):
            return
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", DEAD_PEER_S // 2),
            ("TCP_KEEPINTVL", DEAD_PEER_S // 6),
            ("TCP_KEEPCNT", 3),
            ("TCP_USER_TIMEOUT", DEAD_PEER_S * 1000),
        ):
            if hasattr(socket, name):  # Each system has its own.
                duplicate.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


_pools: dict[str, Pool] = {}
_pools_lock = threading.Lock()


def _close_all_idle() -> None:
    for pool in list(_pools.values()):
        pool.close_idle()


# Two processes would talk on one connection.
os.register_at_fork(before=_close_all_idle)
atexit.register(_close_all_idle)


class PooledWrapper(BaseDatabaseWrapper):
    """A Django connection that borrows its driver's connection from the pool."""

    # Of the connection that this one has, while it has one.
    _pooled: Pooled | None = None
    # The pool that counts one for this thread; so it does while one is being made.
    _lender: Pool | None = None
    _is_new = False

    def connect(self) -> None:
        """Borrow a connection or make one."""
        try:
            super().connect()
        except BaseException:
            # Half made at most, and Django would go on with it.
            if self._pooled is not None:
                _close(self._pooled)
            self.connection = None
            self._give_back(None)
            raise

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return an idle connection that lives, else a new one."""
        if self.alias == NO_DB_ALIAS:
            return super().get_new_connection(conn_params)
        pool = self._pool()
        try:
            self._pooled = pool.take()
        except TimeoutError as error:
            raise OperationalError(str(error)) from error
        self._lender = pool
        if self._pooled is not None:
            if self._lives(self._pooled):
                return self._pooled.raw
            _close(self._pooled)
            self._pooled = None
        now = time.monotonic()
        raw = super().get_new_connection(conn_params)
        _notice_a_dead_peer(raw)
        self._is_new = True
        self._pooled = Pooled(raw, now, now)
        return raw

    def init_connection_state(self) -> None:
        """Set up a new connection; a borrowed one has been."""
        if self._is_new or self.alias == NO_DB_ALIAS:
            super().init_connection_state()
        self._is_new = False

    def release(self) -> None:
        """Lend the connection to other threads, unless a transaction is open."""
        if self.connection is not None and not self.in_atomic_block and self.autocommit:
            self.close()

    def _close(self) -> None:
        if self.alias == NO_DB_ALIAS:
            super()._close()  # type: ignore[misc]  # the stubs leave it out
            return
        pooled = self._pooled
        # After an error nobody knows in what state it is.
        if pooled is not None and (self.errors_occurred or not self._is_at_rest()):
            _close(pooled)
            pooled = None
        self._give_back(pooled)

    def _give_back(self, pooled: Pooled | None) -> None:
        lender, self._lender, self._pooled = self._lender, None, None
        if lender is not None:
            lender.give(pooled)

    def _lives(self, pooled: Pooled) -> bool:
        """Tell whether it can be used; asks the server only after a while of silence."""
        if time.monotonic() < pooled.used_at + SILENT_S:
            return True
        self.connection = pooled.raw
        try:
            return self.is_usable()
        finally:
            self.connection = None

    def _is_at_rest(self) -> bool:
        """Tell whether the connection is open and outside a transaction; without a query."""
        raise NotImplementedError

    def _pool(self) -> Pool:
        named = self.settings_dict
        key = repr([named.get(name) for name in IDENTIFYING])
        with _pools_lock:
            if key not in _pools:
                _pools[key] = Pool(settings.FILESERVER_DATABASE_CONNECTIONS)
            return _pools[key]

    def __del__(self) -> None:
        # Of a thread that ended without a word.
        if self._pooled is not None:
            _close(self._pooled)
        self._give_back(None)

    def close_pool(self) -> None:
        """Close the idle connections; called before a test database is dropped."""
        self._pool().close_idle()
