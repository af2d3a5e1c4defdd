"""Takes many files in one after the other, for commands that bring whole libraries.

Entry point: Intake, one a thread. Each file goes through `uploads`, as at every door; small
ones share a transaction, since waiting for the disk at each commit took most of the time.
What is there already is proven by its hash before anything is written. Memory: BATCH_BYTES
and a block of the source, besides what `uploads` holds.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from django.db import connection

from files.actors import Actor
from files.exceptions import (
    DuplicateFileError,
    FilesError,
    StorageBusyError,
    StorageFullError,
)
from files.models import File
from files.services import uploads
from files.storage import in_transaction

# Bytes up to which a file shares its transaction with others.
SMALL_SIZE = 1 << 20
# What waits for a transaction: bytes, and files.
BATCH_BYTES = 8 << 20
BATCH_FILES = 64
# A transaction takes no further file after this time: other writers wait for its end.
LONGEST_TRANSACTION_S = 0.025
# What a thread sleeps between two of them on SQLite, where other processes look for the
# lock by sleeping too and else would hardly ever find it free.
PAUSE_S = 0.005
# Times that a batch is tried while the database is busy; each waits for it by itself.
TRIES = 3


class Source(Protocol):
    """A file of somewhere else, to be read from its start, twice if need be."""

    @property
    def name(self) -> str: ...

    @property
    def folder(self) -> str: ...

    @property
    def size(self) -> int:
        """Return how many bytes `blocks` will yield."""

    @property
    def upload_date(self) -> datetime | None:
        """Return when it was uploaded, None for now."""

    def blocks(self) -> Iterator[bytes]:
        """Yield all bytes; raises SourceError or OSError where they cannot be had whole."""

    def close(self) -> None:
        """Give back what reading needs."""


S = TypeVar("S", bound=Source)


class SourceError(Exception):
    """A source cannot be read whole; `str()` is the reason, a sentence."""


class Result(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[S]):
    """What became of a source."""

    source: S
    result: Result
    hash: str = ""  # SHA-256, hexadecimal; empty when it failed
    file_id: int | None = None  # the new file, or the one that is there
    reason: str = ""  # why it failed, a sentence


@dataclass(frozen=True, slots=True)
class _Small(Generic[S]):
    source: S
    data: bytes
    hash: str


class StoppedError(Exception):
    """Somebody wants no more to be done."""


class Intake(Generic[S]):
    """Takes sources in for `actor`; `settle` is told of each when it is sure.

    `advance` is told of bytes read, `check` may raise StoppedError between two blocks.
    With `is_dry_run` all is read and nothing written. StorageFullError is raised at
    once, and what was not settled by then was not stored.
    """

    def __init__(
        self,
        *,
        actor: Actor,
        space_id: int,
        settle: Callable[[Outcome[S]], object],
        advance: Callable[[int], object] = lambda size: None,
        check: Callable[[], object] = lambda: None,
        is_dry_run: bool = False,
    ) -> None:
        self._actor = actor
        self._space_id = space_id
        self._settle = settle
        self._advance = advance
        self._check = check
        self._is_dry_run = is_dry_run
        # Hashes that a dry run would have stored.
        self._imagined: set[str] = set()
        self._waiting: list[_Small[S]] = []

    def take(self, source: S) -> None:
        """Take the source in, or keep it for the next `flush`; closes it."""
        with closing(source):
            is_small = source.size <= SMALL_SIZE
            if not is_small or self._is_batch_full(source.size):
                self.flush()
            try:
                # Rights, name, limit and room need no byte.
                self._begin(source)
                if is_small:
                    data = b"".join(self._read(source))
                    self._waiting.append(_Small(source, data, hashlib.sha256(data).hexdigest()))
                else:
                    self._settle(self._store_large(source))
            except StorageFullError:
                raise
            except (FilesError, SourceError, OSError) as error:
                self._settle(Outcome(source, Result.FAILED, reason=told(error)))

    def flush(self) -> None:
        """Store the small files that wait; call at the end."""
        # In one order in all threads: two that insert the same hashes in different orders
        # would wait for each other on MySQL and PostgreSQL.
        waiting = sorted(self._waiting, key=lambda small: small.hash)
        self._waiting = []
        known = self._known([small.hash for small in waiting])
        tries = 0
        while waiting:
            try:
                outcomes = self._store_some(waiting, known)
            except StorageBusyError as error:
                tries += 1
                if tries < TRIES:
                    continue
                outcomes = [
                    Outcome(small.source, Result.FAILED, reason=told(error)) for small in waiting
                ]
            for outcome in outcomes:
                self._settle(outcome)
                if outcome.file_id is not None:
                    known[outcome.hash] = outcome.file_id
            del waiting[: len(outcomes)]

    def _is_batch_full(self, size: int) -> bool:
        waiting = sum(len(small.data) for small in self._waiting)
        return len(self._waiting) >= BATCH_FILES or waiting + size > BATCH_BYTES

    def _begin(self, source: S, hash: str = "") -> uploads.IncomingFile:
        return uploads.begin(
            actor=self._actor,
            space_id=self._space_id,
            name=source.name,
            folder=source.folder,
            size=source.size,
            digest=bytes.fromhex(hash) if hash else None,
            upload_date=source.upload_date,
        )

    def _read(self, source: S, *, is_again: bool = False) -> Iterator[bytes]:
        for block in source.blocks():
            self._check()
            yield block
            if not is_again:
                self._advance(len(block))

    def _known(self, hashes: Collection[str]) -> dict[str, int]:
        """Return the ids of the files with these hashes; not by `uploads`, which counts
        each as a refused upload, and so would write."""
        files = File.objects.filter(space_id=self._space_id, hash__in=hashes)
        return dict(files.values_list("hash", "pk"))

    def _store_some(self, waiting: list[_Small[S]], known: dict[str, int]) -> list[Outcome[S]]:
        """Store as many as one short transaction takes, at least one."""
        if self._is_dry_run:
            return [self._imagine(small.source, small.hash, known) for small in waiting]
        outcomes = in_transaction(self._store_together)(waiting, known)
        if connection.vendor == "sqlite":
            time.sleep(PAUSE_S)
        return outcomes

    def _store_together(self, waiting: list[_Small[S]], known: dict[str, int]) -> list[Outcome[S]]:
        known = dict(known)
        outcomes: list[Outcome[S]] = []
        end = time.monotonic() + LONGEST_TRANSACTION_S
        for small in waiting:
            outcome = self._store_small(small, known)
            outcomes.append(outcome)
            if outcome.file_id is not None:
                known[outcome.hash] = outcome.file_id
            if time.monotonic() > end:
                break
        return outcomes

    def _store_small(self, small: _Small[S], known: dict[str, int]) -> Outcome[S]:
        if small.hash in known:
            return Outcome(small.source, Result.DUPLICATE, small.hash, known[small.hash])
        try:
            incoming = self._begin(small.source)
            uploads.append(incoming, small.data)
            file = uploads.commit(incoming)
        except FilesError as error:
            if connection.needs_rollback or isinstance(error, StorageBusyError | StorageFullError):
                # The database may have given up the whole transaction.
                raise
            if isinstance(error, DuplicateFileError):
                return Outcome(small.source, Result.DUPLICATE, small.hash, error.existing_id)
            return Outcome(small.source, Result.FAILED, reason=told(error))
        return Outcome(small.source, Result.STORED, small.hash, file.pk)

    def _store_large(self, source: S) -> Outcome[S]:
        hash = ""
        same_size = File.objects.filter(space_id=self._space_id, size=source.size)
        if self._is_dry_run or same_size.exists():
            # Perhaps it is there: reading it twice is cheaper than writing in vain.
            hasher = hashlib.sha256()
            for block in self._read(source):
                hasher.update(block)
            hash = hasher.hexdigest()
            known = self._known([hash])
            if self._is_dry_run:
                return self._imagine(source, hash, known)
            if hash in known:
                return Outcome(source, Result.DUPLICATE, hash, known[hash])
        return self._write_large(source, hash)

    def _write_large(self, source: S, hash: str) -> Outcome[S]:
        incoming = self._begin(source, hash)
        try:
            for block in self._read(source, is_again=bool(hash)):
                uploads.append(incoming, block)
            file = uploads.commit(incoming)
        except DuplicateFileError as error:
            return Outcome(source, Result.DUPLICATE, incoming.hash, error.existing_id)
        finally:
            uploads.abort(incoming)
        return Outcome(source, Result.STORED, file.hash, file.pk)

    def _imagine(self, source: S, hash: str, known: dict[str, int]) -> Outcome[S]:
        if hash in known or hash in self._imagined:
            return Outcome(source, Result.DUPLICATE, hash, known.get(hash))
        self._imagined.add(hash)
        return Outcome(source, Result.STORED, hash)


def told(error: Exception) -> str:
    """Return the reason as one sentence."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return str(error)
