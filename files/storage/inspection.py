"""Reads a content's chunk rows to the end whatever is wrong with them.

Entry point: inspect_chunks. `DatabaseStorage.read` ends at the first damage, as a download
must; who looks for damage wants all of it. Memory: ROWS chunks.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from django.db import DatabaseError, OperationalError
from django.db.models import QuerySet

from files.models import MAX_CHUNK_SIZE, Chunk, Content
from files.storage.base import Damage
from files.storage.chunk_rows import chunks_from

R = TypeVar("R")

# Chunks of one query.
ROWS = 4
# A damaged row may say anything: below 0, too.
LEAST = -(1 << 63)
# What embedded databases say when a page cannot be read; the server would, too.
_UNREADABLE = ("disk I/O error", "malformed")


class _Row(NamedTuple):
    offset: int
    size: int
    checksum: int
    data: bytes | memoryview | None  # None where the database cannot read it


def inspect_chunks(content: Content) -> Iterator[bytes | memoryview | Damage]:
    """Yield the chunks in order, and a Damage for each that is not whole and for each gap."""
    position: int | None = 0
    for row in _rows(content):
        if position is not None and row.offset > position:
            yield Damage(position, row.offset, Damage.Kind.MISSING)
        elif position is not None and row.offset < position:
            yield Damage(row.offset, position, Damage.Kind.OVERLAP)
        if row.data is not None and _is_whole(row):
            yield row.data
            position = row.offset + row.size
        else:
            kind = Damage.Kind.UNREADABLE if row.data is None else Damage.Kind.CHECKSUM
            yield Damage(row.offset, row.offset + _length(row), kind)
            # How long it was can't be told: whatever comes next is believed.
            position = None
    if position is not None and position < content.size:
        yield Damage(position, content.size, Damage.Kind.MISSING)
    elif position is not None and position > content.size:
        yield Damage(content.size, position, Damage.Kind.SURPLUS)


def _is_whole(row: _Row) -> bool:
    return (
        row.data is not None
        and len(row.data) == row.size > 0
        and zlib.crc32(row.data) == row.checksum
    )


def _length(row: _Row) -> int:
    """Return how many bytes a damaged row stands for: what it says, if that can be."""
    if 0 < row.size <= MAX_CHUNK_SIZE:
        return row.size
    return len(row.data or b"") or MAX_CHUNK_SIZE


def _rows(content: Content) -> Iterator[_Row]:
    """Yield the rows, a few at a time: no query stays open."""
    last: int | None = None
    while True:
        try:
            start = LEAST if last is None else last + 1
            page = [_Row(*row) for row in chunks_from(content.pk, start, ROWS)]
        except DatabaseError as error:
            require_damage(error)
            page = list(_one_by_one(content, last))
        yield from page
        if len(page) < ROWS:
            return
        last = page[-1].offset


def _one_by_one(content: Content, last: int | None) -> Iterator[_Row]:
    """Yield the next rows, those that cannot be read without their data.

    Where they are is read from the index.
    """
    chunks = Chunk.objects.filter(content_id=content.pk)
    for offset in list(_after(chunks.order_by("offset").values_list("offset", flat=True), last)):
        yield from _one(chunks.filter(offset=offset), offset)


def _one(chunks: QuerySet[Chunk], offset: int) -> list[_Row]:
    """Return the row with all that can be read of it; none if it was deleted meanwhile."""
    try:
        return [_Row(*row) for row in chunks.values_list("offset", "size", "checksum", "data")]
    except DatabaseError as error:
        require_damage(error)
    try:
        # The data come last, and on other pages.
        return [_Row(*row, None) for row in chunks.values_list("offset", "size", "checksum")]
    except DatabaseError as error:
        require_damage(error)
        return [_Row(offset, 0, 0, None)]


def _after(rows: QuerySet[Chunk, R], last: int | None) -> QuerySet[Chunk, R]:
    """Return the first ROWS of a queryset that come after the offset `last`."""
    return (rows if last is None else rows.filter(offset__gt=last))[:ROWS]


def require_damage(error: DatabaseError) -> None:
    """Raise `error` again where it tells that the database is away or busy."""
    if isinstance(error, OperationalError) and not any(
        words in str(error) for words in _UNREADABLE
    ):
        raise error
