"""Content as chunk rows: the home that needs nothing but the database.

Entry point: DatabaseStorage. Chunks are committed in short batches while they
come, so that no lock is held while a slow client sends; nothing of them can be
seen until the file's row is committed. Memory: BATCH_BYTES a writer at most, and
a chunk a reader.
"""

from __future__ import annotations

import shutil
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

from django.db import connection
from django.utils import timezone

from files.crc32 import crc32_combine
from files.exceptions import (
    CorruptContentError,
    StorageBusyError,
    StorageFullError,
    gettext_noop,
)
from files.models import MAX_CHUNK_SIZE, Content
from files.sha256 import Sha256
from files.storage.base import Damage
from files.storage.chunk_rows import (
    ChunkRow,
    add_chunks,
    chunk_at,
    chunks_from,
    chunks_of,
    last_slice,
    release_connection,
    remove_chunks,
    slices,
    truncate_chunks,
)
from files.storage.inspection import inspect_chunks
from files.storage.transactions import in_transaction

# What one writer holds before it commits a batch: long enough for few commits,
# short enough that other writers wait some 20 ms for the lock.
BATCH_BYTES = 8 << 20
# What all writers of the process hold together; with many, batches get shorter.
ALL_BATCHES_BYTES = 64 << 20
# A slow client's batch is committed sooner, which is also its sign of life.
LONGEST_BATCH_S = Content.RECEIVING_TIME.total_seconds() / 6
# A last chunk shorter than this is taken back by who goes on, so that many small pieces don't
# make many small rows; a longer one stays as it is.
SHORT_CHUNK = 256 << 10
# What uploads must leave on the disk, for other writers and for `sweep`.
SPARE_DISK_BYTES = 64 << 20

_open_writers: WeakSet[DatabaseWriter] = WeakSet()

# Called inside the transaction of each batch; what it raises, undoes that.
OnBatch = Callable[["DatabaseWriter"], None]


class DatabaseWriter:
    """Cuts what comes into chunks, hashes them and commits them in batches.

    The last batch is never committed before `flush` or `pause`: what is all there is a file,
    or becomes one with it.
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
        self._on_batch = on_batch
        self._parts: list[bytes | memoryview] = []
        self._parts_size = 0
        self._batch: list[ChunkRow] = []
        self._offset = self._hashed = size
        # An id of a rolled back row is no longer ours: SQLite gives it to the next.
        self._has_committed = content is not None
        self._took_back = False  # a short chunk, whose row goes with the first batch
        self._write_by = time.monotonic() + LONGEST_BATCH_S
        if content is not None:
            self._take_back_short_chunk()
        _open_writers.add(self)

    @property
    def size(self) -> int:
        """Return how many bytes there are with the batch that is being written."""
        return self._offset

    def append(self, data: bytes) -> None:
        """Take `data`; commits a full batch when more comes."""
        view = memoryview(data)
        while len(view):
            if self._is_batch_full():
                self._commit_batch()
            part = view[: MAX_CHUNK_SIZE - self._parts_size]
            view = view[len(part) :]
            self._parts.append(part)
            self._parts_size += len(part)
            if self._parts_size == MAX_CHUNK_SIZE:
                self._cut_chunk()

    def seal(self) -> None:
        """Hash what is left, of which no more will come."""
        if self._parts:
            self._cut_chunk()

    def flush(self) -> None:
        """Write the rest and own the content; inside the caller's transaction.

        Once more where that was rolled back.
        """
        self.seal()
        self._write_batch(state=Content.State.STORED, keep_until=None)

    def pause(self) -> None:
        """Commit all that came; another writer may go on behind it."""
        self.seal()
        self._commit_batch()

    def discard(self) -> None:
        """Give up what was committed, so that `sweep` removes it; nobody can be reading it."""
        if self._has_committed:
            receiving = Content.objects.filter(pk=self.content.pk, state=Content.State.RECEIVING)
            receiving.release(until=timezone.now())

    def _take_back_short_chunk(self) -> None:
        last = last_slice(self.content.pk)
        if last is None or last[1] >= SHORT_CHUNK or sum(last) != self._offset:
            return
        self._offset, self._parts_size = last
        self._parts = [b"".join(chunk.data for chunk in chunks_from(self.content.pk, last[0], 1))]
        self._took_back = True

    def _cut_chunk(self) -> None:
        data = bytes(self._parts[0]) if len(self._parts) == 1 else b"".join(self._parts)
        self._batch.append(ChunkRow(self._offset, len(data), zlib.crc32(data), data))
        # Of a chunk that was taken back, the beginning is hashed already.
        known, self._offset = self._hashed - self._offset, self._offset + len(data)
        if self.hasher is not None:
            self.hasher.update(data[known:] if known else data)
        self._hashed = self._offset
        self._parts.clear()
        self._parts_size = 0

    def _is_batch_full(self) -> bool:
        limit = min(BATCH_BYTES, ALL_BATCHES_BYTES // len(_open_writers))
        is_late = bool(self._batch) and time.monotonic() > self._write_by
        return is_late or len(self._batch) * MAX_CHUNK_SIZE >= limit

    def _commit_batch(self) -> None:
        in_transaction(self._write_batch)()
        self._has_committed = True
        self._took_back = False
        self._batch.clear()
        self._write_by = time.monotonic() + LONGEST_BATCH_S
        # Until the client has sent as much again.
        release_connection()

    def _write_batch(self, **changes: Any) -> None:
        """Write the batch, within a transaction that may be run again."""
        require_room(sum(chunk.size for chunk in self._batch))
        columns = {
            "size": self._offset,
            "keep_until": timezone.now() + Content.RECEIVING_TIME,
        } | changes
        if not self._has_committed:
            # Perhaps for the second time, where the first was rolled back.
            self.content = Content(**columns)
            self.content.save(force_insert=True)
        if self._on_batch is not None:
            self._on_batch(self)
        if self._has_committed:
            self._update(**columns)
        if self._took_back and self._batch:
            while not truncate_chunks(self.content.pk, self._batch[0].offset):
                pass
        add_chunks(self.content.pk, self._batch)

    def _update(self, **columns: object) -> None:
        """Change the content's row, unless `sweep` took it meanwhile."""
        mine = Content.objects.filter(pk=self.content.pk, state=Content.State.RECEIVING)
        if not mine.update(**columns):
            raise StorageBusyError(
                gettext_noop("The upload paused for so long that it was given up.")
            )


class DatabaseStorage:
    """Chunk rows of the default database."""

    def open_writer(
        self,
        content: Content | None = None,
        size: int = 0,
        *,
        hasher: Sha256 | None = None,
        on_batch: OnBatch | None = None,
    ) -> DatabaseWriter:
        """Return a writer of a new content, which exists from its first batch on, or one that
        goes on behind the first `size` bytes of `content`.

        `on_batch` is called inside each batch's transaction; what it raises, undoes that.
        """
        return DatabaseWriter(content, size, hasher=hasher, on_batch=on_batch)

    def truncate(self, content: Content, size: int, guard: Callable[[], object]) -> None:
        """Leave the first `size` bytes; `guard` is called within each small transaction."""

        @in_transaction
        def remove_some() -> bool:
            guard()
            return truncate_chunks(content.pk, size)

        while sum(last_slice(content.pk) or (0, 0)) > size and not remove_some():
            pass

    def read(self, content: Content, start: int, stop: int) -> Iterator[bytes]:
        """Yield bytes `start` to `stop` (exclusive), a chunk or less at a time.

        A query a chunk, and only for those that the range touches. Raises
        CorruptContentError where a checksum fails or bytes are missing.
        """
        # Kept with the content: several ranges of one download are one reader.
        if content.renew_at is None:
            content.renew_at = self._next_renewal()
        while start < stop:
            offset, data = self._chunk_at(content, start)
            yield data[start - offset : stop - offset]
            start = offset + len(data)
            if time.monotonic() > content.renew_at:
                self._renew(content)
                content.renew_at = self._next_renewal()

    def read_short(self, contents: Collection[Content]) -> dict[int, bytes]:
        """Return the bytes of contents by id, in one query; those of whole ones only."""
        sizes = {content.pk: content.size for content in contents}
        found = dict.fromkeys(sizes, b"")
        for content_id, chunks in chunks_of(sizes).items():
            for offset, size, checksum, data in chunks:
                is_whole = len(data) == size and zlib.crc32(data) == checksum
                if is_whole and offset == len(found[content_id]):
                    found[content_id] += data
        return {pk: data for pk, data in found.items() if len(data) == sizes[pk]}

    def crc32(self, content: Content) -> int:
        """Return the CRC-32 of all its bytes, put together from those of its chunks.

        A query for 1 GiB; no bytes are read. Raises CorruptContentError where some are
        missing or a row is damaged.
        """
        crc = position = 0
        for offset, size, checksum in slices(content.pk):
            if offset != position or size < 1:
                raise _missing(content, position)
            if not 0 <= checksum < 1 << 32:
                raise _damaged(content, offset, size)
            crc = crc32_combine(crc, checksum, size)
            position += size
        if position != content.size:
            raise _missing(content, position)
        return crc

    def inspect(self, content: Content) -> Iterator[bytes | memoryview | Damage]:
        """Yield all its bytes in order, and a Damage for each stretch that is not whole."""
        yield from inspect_chunks(content)

    def remove(self, content: Content) -> int:
        """Remove it in small transactions, its row last; return the bytes given back."""
        removed = remove_chunks(content.pk)
        content.delete()
        return removed

    def _chunk_at(self, content: Content, position: int) -> tuple[int, bytes]:
        """Return the offset and the bytes, checked, of the chunk that holds `position`."""
        offset, size, checksum, data = chunk_at(content.pk, position) or (0, 0, 0, b"")
        if position >= offset + size:
            raise _missing(content, position)
        if len(data) != size or zlib.crc32(data) != checksum:
            raise _damaged(content, offset, size)
        return offset, data

    def _next_renewal(self) -> float:
        return time.monotonic() + Content.GRACE_TIME.total_seconds() / 3

    def _renew(self, content: Content) -> None:
        """Keep what this reader still needs, though its file is deleted."""
        Content.objects.filter(pk=content.pk, state=Content.State.RELEASED).update(
            keep_until=Content.grace_end()
        )


def _missing(content: Content, position: int) -> CorruptContentError:
    return CorruptContentError(
        gettext_noop("Content %(id)s has no byte %(position)s."), id=content.pk, position=position
    )


def _damaged(content: Content, offset: int, size: int) -> CorruptContentError:
    return CorruptContentError(
        gettext_noop("Content %(id)s is damaged from byte %(start)s to %(stop)s."),
        id=content.pk,
        start=offset,
        stop=offset + size,
    )


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
