"""Lets threads that would commit one after the other share one transaction.

Entry point: share. Whatever it stores, a commit on SQLite writes some 20 pages of
indexes and waits for the disk: uploads that wait for their turn anyway share both. Servers
of databases do that by themselves, so elsewhere each has a transaction of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from django.db import connection, transaction

from files.storage import in_transaction

# Works in one transaction: no more, so that none waits long for the others, and so that
# it stays far below what SQLite keeps in memory (fileserver.sqlite, CACHE_SPILL_PAGES).
MOST = 32


class _Entry:
    """Work that a thread waits for."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.woken = threading.Event()
        self.is_done = False
        self.error: BaseException | None = None


class Commits:
    """The thread that comes first leads; what comes meanwhile waits for the next leader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Entry] = deque()
        self._is_led = False

    def share(self, work: Callable[[], None]) -> None:
        """Do the work in a transaction, perhaps in another thread; return when it is committed.

        Raises what it raised, or what the commit did: then nothing of it is written. What
        others wanted written is, unless the whole transaction failed.
        """
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            in_transaction(work)()
            return
        entry = _Entry(work)
        with self._lock:
            leads = not self._is_led
            self._is_led = True
            if not leads:
                self._waiting.append(entry)
        if not leads:
            entry.woken.wait()
        if not entry.is_done:
            self._lead(entry)
        if entry.error is not None:
            raise entry.error

    def _lead(self, entry: _Entry) -> None:
        """Commit the entry and those that wait, then wake them and the next leader."""
        batch = [entry]
        has_begun = False
        try:
            with transaction.atomic():
                has_begun = True
                # Here, as more came while this thread waited for its turn to write.
                batch += self._taken(MOST - 1)
                _write(batch)
        except BaseException as error:  # noqa: BLE001  # raised by those whose work it was
            if not has_begun:
                # The database was locked for as long as anybody waits: those who wait here
                # would do so as long again, one after the other.
                batch += self._taken(len(self._waiting))
            for one in batch:
                one.error = one.error or error
        finally:
            with self._lock:
                following = self._waiting.popleft() if self._waiting else None
                self._is_led = following is not None
            for one in batch:
                one.is_done = True
                one.woken.set()
            if following is not None:
                following.woken.set()

    def _taken(self, most: int) -> list[_Entry]:
        """Return up to `most` of those who wait, who do so no more."""
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]


def _write(batch: list[_Entry]) -> None:
    """Do each work, in a savepoint so that one that fails leaves the others alone."""
    if len(batch) == 1:
        batch[0].work()
        return
    for one in batch:
        try:
            with transaction.atomic():
                one.work()
        except Exception as error:
            one.error = error
            if connection.needs_rollback:
                # SQLite gave up the whole transaction (a full disk, say), and Django would
                # roll the rest of it back without a word.
                raise


_commits = Commits()
share = _commits.share
