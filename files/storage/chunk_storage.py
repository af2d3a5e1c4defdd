"""Content as chunk rows: the home that needs nothing but the database.

Entry point: DatabaseStorage. What is read is never believed without its checksum. Memory: as
`database` a writer, and a chunk a reader.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Collection, Iterator

from files.crc32 import crc32_combine
from files.exceptions import CorruptContentError, gettext_noop
from files.models import Content
from files.sha256 import Sha256
from files.storage.base import Damage
from files.storage.chunk_rows import (
    chunk_at,
    chunks_of,
    last_slice,
    remove_chunks,
    slices,
    truncate_chunks,
)
from files.storage.database import DatabaseWriter, OnBatch
from files.storage.inspection import inspect_chunks
from files.storage.transactions import in_transaction


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
        """Yield bytes `start` to `stop` (exclusive), a chunk or less at a time."""
        return _read(content, start, stop)

    def read_short(self, contents: Collection[Content]) -> dict[int, bytes]:
        """Return the bytes of contents by id, in one query; those of whole ones only."""
        return _read_short(contents)

    def crc32(self, content: Content) -> int:
        """Return the CRC-32 of all its bytes, put together from those of its chunks."""
        return _crc32(content)

    def inspect(self, content: Content) -> Iterator[bytes | memoryview | Damage]:
        """Yield all its bytes in order, and a Damage for each stretch that is not whole."""
        yield from inspect_chunks(content)

    def remove(self, content: Content) -> int:
        """Remove it in small transactions, its row last; return the bytes given back."""
        removed = remove_chunks(content.pk)
        content.delete()
        return removed


def _read(content: Content, start: int, stop: int) -> Iterator[bytes]:
    """Yield bytes `start` to `stop` (exclusive), a chunk or less at a time.

    A query a chunk, and only for those that the range touches. Raises
    CorruptContentError where a checksum fails or bytes are missing.
    """
    # Kept with the content: several ranges of one download are one reader.
    if content.renew_at is None:
        content.renew_at = _next_renewal()
    while start < stop:
        offset, data = _chunk_at(content, start)
        yield data[start - offset : stop - offset]
        start = offset + len(data)
        if time.monotonic() > content.renew_at:
            _renew(content)
            content.renew_at = _next_renewal()


def _read_short(contents: Collection[Content]) -> dict[int, bytes]:
    """Return the bytes of contents by id, in one query; those of whole ones only."""
    sizes = {content.pk: content.size for content in contents}
    found = dict.fromkeys(sizes, b"")
    for content_id, chunks in chunks_of(sizes).items():
        for offset, size, checksum, data in chunks:
            is_whole = len(data) == size and zlib.crc32(data) == checksum
            if is_whole and offset == len(found[content_id]):
                found[content_id] += data
    return {pk: data for pk, data in found.items() if len(data) == sizes[pk]}


def _crc32(content: Content) -> int:
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


def _chunk_at(content: Content, position: int) -> tuple[int, bytes]:
    """Return the offset and the bytes, checked, of the chunk that holds `position`."""
    offset, size, checksum, data = chunk_at(content.pk, position) or (0, 0, 0, b"")
    if position >= offset + size:
        raise _missing(content, position)
    if len(data) != size or zlib.crc32(data) != checksum:
        raise _damaged(content, offset, size)
    return offset, data


def _next_renewal() -> float:
    return time.monotonic() + Content.GRACE_TIME.total_seconds() / 3


def _renew(content: Content) -> None:
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
