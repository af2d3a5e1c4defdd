"""Writes content as chunk rows, and looks after the room on the disk.

Entry points: DatabaseWriter, require_room. Chunks are committed in short batches while they
come, so that no lock is held while a slow client sends; nothing of them can be seen until the
file's row is committed. Memory: two batches of BATCH_BYTES a writer at most.
"""

from __future__ import annotations

import shutil
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from weakref import WeakSet

from django.db import connection
from django.utils import timezone

from files.exceptions import StorageBusyError, StorageFullError, gettext_noop
from files.models import MAX_CHUNK_SIZE, Content, insert
from files.sha256 import Sha256
from files.storage.chunk_rows import (
    ChunkRow,
    add_chunks,
    chunks_from,
    last_slice,
    release_connection,
    truncate_chunks,
)
from files.storage.transactions import in_transaction

# What one writer holds before it commits a batch: long enough for few commits,
# short enough that other writers wait some 20 ms for the lock.
BATCH_BYTES = 8 << 20
# What all writers of the process have in full batches together; with many, those get shorter.
ALL_BATCHES_BYTES = 24 << 20
# A slow client's batch is committed sooner, which is also its sign of life.
LONGEST_BATCH_S = Content.RECEIVING_TIME.total_seconds() / 6
# A last chunk shorter than this is taken back by who goes on, so that many small pieces don't
# make many small rows; a longer one stays as it is.
SHORT_CHUNK = 256 << 10
# What uploads must leave on the disk, for other writers and for `sweep`.
SPARE_DISK_BYTES = 64 << 20

# More writers don't go on while their batches are written, and cut shorter chunks: there is enough
# to do meanwhile, and memory is what they would lack.
MOST_OVERLAPPING = 8
# They write the batches: on SQLite one at a time, while others hash. Each has a connection.
_threads = ThreadPoolExecutor(4, "chunk-writer")

_open_writers: WeakSet[DatabaseWriter] = WeakSet()

# Called inside the transaction of each batch; what it raises, undoes that.
OnBatch = Callable[["DatabaseWriter"], None]


class DatabaseWriter:
    """Cuts what comes into chunks, hashes them and commits them in batches.

    A batch is hashed and written by another thread while the next one comes; within a caller's
    transaction by the caller's own. Its error is raised by the call after. The last batch is
    never committed before `flush` or `pause`: what is all there is a file, or becomes one with it.
    """

    def __init__(
        self,
        content: Content | None = None,
        size: int = 0,
        *,
        hasher: Sha256 | None = None,
        on_batch: OnBatch | None = None,
    ) -> None:
        # Made with the first batch: a file of one batch is then one transaction.
        self.content = content or Content(state=Content.State.RECEIVING)
        self.hasher = hasher
        # Bytes there are with the batch that is being written; all of them are hashed.
        self.size = size
        self._on_batch = on_batch
        self._parts: list[bytes | memoryview] = []
        self._parts_size = 0
        self._chunk_size = MAX_CHUNK_SIZE
        self._cut_size = size
        self._batch: list[ChunkRow] = []
        self._behind: tuple[Future[None], list[ChunkRow]] | None = None
        # An id of a rolled back row is no longer ours: SQLite gives it to the next.
        self._has_committed = content is not None
        self._took_back = False  # a short chunk, whose row goes with the first batch
        self._write_by = time.monotonic() + LONGEST_BATCH_S
        if content is not None:
            self._take_back_short_chunk()
        _open_writers.add(self)

    def append(self, data: bytes) -> None:
        """Take `data`; hands a full batch over when more comes."""
        view = memoryview(data)
        while len(view):
            if self._is_batch_full():
                self._hand_over()
            if not self._parts:
                self._chunk_size = MAX_CHUNK_SIZE if _are_few() else MAX_CHUNK_SIZE // 2
            part = view[: self._chunk_size - self._parts_size]
            view = view[len(part) :]
            self._parts.append(part)
            self._parts_size += len(part)
            if self._parts_size == self._chunk_size:
                self._cut_chunk()

    def seal(self) -> None:
        """Hash what is left, of which no more will come; all other batches are committed then.

        Before a transaction, which else the batch under way would wait for.
        """
        if self._parts:
            self._cut_chunk()
        self._wait()
        self._hash(self._batch)

    def flush(self) -> None:
        """Write the rest and own the content; inside the caller's transaction.

        Once more where that was rolled back.
        """
        if self._behind is not None:
            raise RuntimeError("A writer is sealed before the transaction that flushes it.")
        self.seal()
        self._write(self._batch, state=Content.State.STORED, keep_until=None)
        _open_writers.discard(self)

    def pause(self) -> None:
        """Commit all that came; another writer may go on behind it."""
        self.seal()
        self._commit(self._batch)
        self._batch.clear()
        _open_writers.discard(self)
        # Until the client has sent as much again.
        release_connection()

    def discard(self) -> None:
        """Give up what was committed, so that `sweep` removes it; nobody can be reading it."""
        _open_writers.discard(self)
        if self._behind is not None:
            future, _batch = self._behind
            if not future.cancel():
                release_connection()
                wait([future])
        if self._has_committed:
            receiving = Content.objects.filter(pk=self.content.pk, state=Content.State.RECEIVING)
            receiving.release(until=timezone.now())

    def _take_back_short_chunk(self) -> None:
        last = last_slice(self.content.pk)
        if last is None or last[1] >= SHORT_CHUNK or sum(last) != self._cut_size:
            return
        self._cut_size, self._parts_size = last
        self._parts = [b"".join(chunk.data for chunk in chunks_from(self.content.pk, last[0], 1))]
        self._took_back = True

    def _cut_chunk(self) -> None:
        data = bytes(self._parts[0]) if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._parts_size = 0
        self._batch.append(ChunkRow(self._cut_size, len(data), zlib.crc32(data), data))
        self._cut_size += len(data)

    def _hash(self, batch: list[ChunkRow]) -> None:
        """Hash what is new in a batch: not a chunk that was taken back, nor what is tried again."""
        for offset, size, _checksum, data in batch:
            fresh = data[self.size - offset :] if self.size > offset else data
            if self.hasher is not None and fresh:
                self.hasher.update(fresh)
            self.size = max(self.size, offset + size)

    def _is_batch_full(self) -> bool:
        limit = min(BATCH_BYTES, ALL_BATCHES_BYTES // len(_open_writers))
        is_late = bool(self._batch) and time.monotonic() > self._write_by
        return is_late or sum(chunk.size for chunk in self._batch) >= limit

    def _hand_over(self) -> None:
        """Have the batch written while the next one comes."""
        self._wait()
        self._write_by = time.monotonic() + LONGEST_BATCH_S
        if connection.in_atomic_block:
            self._commit(self._batch)
        else:
            self._behind = _threads.submit(self._commit_apart, self._batch), self._batch
            if not _are_few():
                self._wait()
        self._batch = []

    def _wait(self) -> None:
        """Wait for the batch under way; where it failed it comes before what came since."""
        if self._behind is None:
            return
        future, batch = self._behind
        self._behind = None
        # Perhaps the only one that the process may have.
        release_connection()
        try:
            future.result()
        except BaseException:
            self._batch = batch if self._batch is batch else batch + self._batch
            raise

    def _commit_apart(self, batch: list[ChunkRow]) -> None:
        """Commit the batch in a thread that has no request whose end would look after it."""
        try:
            self._commit(batch)
        finally:
            connection.close_if_unusable_or_obsolete()
            release_connection()

    def _commit(self, batch: list[ChunkRow]) -> None:
        self._hash(batch)
        in_transaction(self._write)(batch)
        self._has_committed = True
        self._took_back = False

    def _write(self, batch: list[ChunkRow], **changes: Any) -> None:
        """Write the batch, within a transaction that may be run again."""
        require_room(sum(chunk.size for chunk in batch))
        columns = {
            "size": self.size,
            "keep_until": timezone.now() + Content.RECEIVING_TIME,
        } | changes
        if not self._has_committed:
            # Perhaps for the second time, where the first was rolled back.
            self.content = Content(**columns)
            insert(self.content)
        if self._on_batch is not None:
            self._on_batch(self)
        if self._has_committed:
            self._update(**columns)
        if self._took_back and batch:
            while not truncate_chunks(self.content.pk, batch[0].offset):
                pass
        add_chunks(self.content.pk, batch)

    def _update(self, **columns: object) -> None:
        """Change the content's row, unless `sweep` took it meanwhile."""
        mine = Content.objects.filter(pk=self.content.pk, state=Content.State.RECEIVING)
        if not mine.update(**columns):
            raise StorageBusyError(
                gettext_noop("The upload paused for so long that it was given up.")
            )


def _are_few() -> bool:
    return len(_open_writers) <= MOST_OVERLAPPING


def room() -> int | None:
    """Return how many bytes the disk under an embedded database can take, None elsewhere."""
    if connection.vendor != "sqlite":
        return None
    path = Path(connection.settings_dict["NAME"])
    log = path.with_name(f"{path.name}-wal")
    # What is in the log goes into the file too, before the log is used again.
    owed = log.stat().st_size if log.exists() else 0
    return max(shutil.disk_usage(path.parent).free - owed - SPARE_DISK_BYTES, 0)


def require_room(size: int) -> None:
    """Raise StorageFullError unless there is room for `size` bytes more.

    Else a disk could be filled so far that not even `sweep` had room to work.
    """
    free = room()
    if free is not None and size > free:
        raise StorageFullError(
            gettext_noop("%(size)s bytes or more are to be stored; there is room for %(free)s."),
            size=f"{size:,}",
            free=f"{free:,}",
        )
