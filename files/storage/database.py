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
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

from django.db import connection, transaction
from django.utils import timezone

from files.crc32 import crc32_combine
from files.exceptions import (
    CorruptContentError,
    StorageBusyError,
    StorageFullError,
    gettext_noop,
)
from files.models import MAX_CHUNK_SIZE, Chunk, Content
from files.storage.base import Damage
from files.storage.inspection import inspect_chunks

# What one writer holds before it commits a batch: long enough for few commits,
# short enough that other writers wait some 20 ms for the lock.
BATCH_BYTES = 8 << 20
# What all writers of the process hold together; with many, batches get shorter.
ALL_BATCHES_BYTES = 64 << 20
# Rows in one INSERT: four escaped chunks fit MySQL's packet of 16 MiB.
ROWS_PER_INSERT = 4
# A slow client's batch is committed sooner, which is also its sign of life.
LONGEST_BATCH_S = Content.RECEIVING_TIME.total_seconds() / 6
# What uploads must leave on the disk, for other writers and for `sweep`.
SPARE_DISK_BYTES = 64 << 20
# Rows that one transaction of `remove` takes: it holds the write lock some 30 ms.
ROWS_PER_REMOVAL = 32
# Rows of one query where no data are read.
ROWS_PER_PAGE = 1024

# By hand, at each MiB of a download: the ORM takes 0.3 ms, the query itself 0.08.
_CHUNK_AT = (
    "SELECT {0}, size, checksum, data FROM chunk WHERE content_id = %s AND {0} <= %s"
    " ORDER BY {0} DESC LIMIT 1"
)

_open_writers: WeakSet[DatabaseWriter] = WeakSet()


class DatabaseWriter:
    """Cuts what comes into chunks and commits them in batches."""

    def __init__(self) -> None:
        # Made with the first batch: a file of one batch is then one transaction.
        self.content = Content(state=Content.State.RECEIVING)
        self._parts: list[bytes | memoryview] = []
        self._parts_size = 0
        self._batch: list[Chunk] = []
        self._offset = 0
        # An id of a rolled back row is no longer ours: SQLite gives it to the next.
        self._has_committed = False
        self._write_by = time.monotonic() + LONGEST_BATCH_S
        _open_writers.add(self)

    def append(self, data: bytes) -> None:
        """Take `data`; commits whenever a batch is full."""
        view = memoryview(data)
        while len(view):
            part = view[: MAX_CHUNK_SIZE - self._parts_size]
            view = view[len(part) :]
            self._parts.append(part)
            self._parts_size += len(part)
            if self._parts_size == MAX_CHUNK_SIZE:
                self._cut_chunk()
                if self._is_batch_full():
                    self._write_batch()
                    self._has_committed = True

    def flush(self) -> None:
        """Write the rest and own the content; inside the caller's transaction."""
        if self._parts:
            self._cut_chunk()
        self._write_batch(state=Content.State.STORED, keep_until=None)

    def discard(self) -> None:
        """Give up what was committed, so that `sweep` removes it; nobody can be reading it."""
        if self._has_committed:
            receiving = Content.objects.filter(pk=self.content.pk, state=Content.State.RECEIVING)
            receiving.release(until=timezone.now())

    def _cut_chunk(self) -> None:
        data = bytes(self._parts[0]) if len(self._parts) == 1 else b"".join(self._parts)
        self._batch.append(
            Chunk(offset=self._offset, size=len(data), checksum=zlib.crc32(data), data=data)
        )
        self._offset += len(data)
        self._parts.clear()
        self._parts_size = 0

    def _is_batch_full(self) -> bool:
        limit = min(BATCH_BYTES, ALL_BATCHES_BYTES // len(_open_writers))
        return len(self._batch) * MAX_CHUNK_SIZE >= limit or time.monotonic() > self._write_by

    def _write_batch(self, **changes: Any) -> None:
        require_room(sum(chunk.size for chunk in self._batch))
        columns = {
            "size": self._offset,
            "keep_until": timezone.now() + Content.RECEIVING_TIME,
        } | changes
        with transaction.atomic(savepoint=False):
            if self.content._state.adding:
                for name, value in columns.items():
                    setattr(self.content, name, value)
                self.content.save(force_insert=True)
            else:
                self._update(**columns)
            for chunk in self._batch:
                chunk.content = self.content
            Chunk.objects.bulk_create(self._batch, batch_size=ROWS_PER_INSERT)
        self._batch.clear()
        self._write_by = time.monotonic() + LONGEST_BATCH_S

    def _update(self, **columns: object) -> None:
        """Change the content's row, unless `sweep` took it meanwhile."""
        mine = Content.objects.filter(pk=self.content.pk, state=Content.State.RECEIVING)
        if not mine.update(**columns):
            raise StorageBusyError(
                gettext_noop("The upload paused for so long that it was given up.")
            )


class DatabaseStorage:
    """Chunk rows of the default database."""

    def open_writer(self) -> DatabaseWriter:
        """Return a writer; its content exists from its first batch on."""
        return DatabaseWriter()

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
            yield bytes(data[start - offset : stop - offset])
            start = offset + len(data)
            if time.monotonic() > content.renew_at:
                self._renew(content)
                content.renew_at = self._next_renewal()

    def read_short(self, contents: Collection[Content]) -> dict[int, bytes]:
        """Return the bytes of contents by id, in one query; those of whole ones only."""
        sizes = {content.pk: content.size for content in contents}
        found = dict.fromkeys(sizes, b"")
        chunks = Chunk.objects.filter(content_id__in=sizes).order_by("content_id", "offset")
        rows = chunks.values_list("content_id", "offset", "size", "checksum", "data")
        for content_id, offset, size, checksum, data in rows:
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
        chunks = Chunk.objects.filter(content_id=content.pk).order_by("offset")
        rows = chunks.values_list("offset", "size", "checksum")
        while page := list(rows.filter(offset__gte=position)[:ROWS_PER_PAGE]):
            for offset, size, checksum in page:
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
        removed = 0
        while True:
            rows = Chunk.objects.filter(content_id=content.pk).values_list("pk", "size")
            batch = dict(rows[:ROWS_PER_REMOVAL])
            if not batch:
                break
            Chunk.objects.filter(pk__in=batch).delete()
            removed += sum(batch.values())
        content.delete()
        return removed

    def _chunk_at(self, content: Content, position: int) -> tuple[int, bytes | memoryview]:
        """Return the offset and the bytes, checked, of the chunk that holds `position`."""
        with connection.cursor() as cursor:
            cursor.execute(
                _CHUNK_AT.format(connection.ops.quote_name("offset")), (content.pk, position)
            )
            offset, size, checksum, data = cursor.fetchone() or (0, 0, 0, b"")
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


def empty_log() -> None:
    """Bring SQLite's log into the file and give its space back, unless a reader needs it."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.empty_log()  # type: ignore[attr-defined]  # of fileserver.sqlite


def give_space_back(pages: int = 1000) -> int:
    """Return free pages of SQLite's file to the disk; the number of pages freed.

    Elsewhere the database reuses the space by itself: 0.
    """
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA freelist_count").fetchone()[0]
        # execute() would run one step, and each step frees one page.
        with connection.wrap_database_errors:
            connection.connection.executescript(f"PRAGMA incremental_vacuum({pages:d})")
        after = cursor.execute("PRAGMA freelist_count").fetchone()[0]
    return int(before - after)
