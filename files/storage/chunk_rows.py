"""Chunk rows by plain SQL, through the cursor that each database has for long bytes.

The ORM takes 0.3 ms for a row and the query itself 0.08; on MySQL and PostgreSQL the usual
cursor also makes text of the bytes and back (docs/architecture.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.utils import CursorWrapper

from files.models import MAX_CHUNK_SIZE, Chunk

# Rows that one transaction of `remove_chunks` takes: it holds SQLite's write lock some 30 ms.
ROWS_PER_REMOVAL = 32
# Rows of one query where no data are read.
ROWS_PER_PAGE = 1024

# `offset` ({0}) is a word of MariaDB's own and has to be quoted.
_COLUMNS = "{0}, size, checksum, data"
_ADD = f"INSERT INTO chunk (content_id, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608
# Without the lower bound, MariaDB 10.11 reads a long content backwards from its end.
_AT = (
    f"SELECT {_COLUMNS} FROM chunk WHERE content_id = %s AND {{0}} <= %s AND {{0}} > %s"  # noqa: S608
    " ORDER BY {0} DESC LIMIT 1"
)
_FROM = (
    f"SELECT {_COLUMNS} FROM chunk WHERE content_id = %s AND {{0}} >= %s"  # noqa: S608
    " ORDER BY {0} LIMIT %s"
)
_OF_ALL = f"SELECT content_id, {_COLUMNS} FROM chunk WHERE content_id IN ({{1}})"  # noqa: S608


class ChunkRow(NamedTuple):
    """What the table keeps of a slice of a content."""

    offset: int  # of its first byte
    size: int  # bytes
    checksum: int  # CRC-32 of `data`
    data: bytes


def add_chunks(
    content_id: int, chunks: Iterable[ChunkRow], *, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Insert the chunks, one a statement: no packet gets longer than one of them, escaped."""
    with _content_cursor(using) as cursor:
        for chunk in chunks:
            cursor.execute(_quoted(_ADD, using), (content_id, *chunk))


def chunk_at(content_id: int, position: int) -> ChunkRow | None:
    """Return the chunk that holds `position`, or the nearest before it that might."""
    with _content_cursor(DEFAULT_DB_ALIAS) as cursor:
        lowest = position - MAX_CHUNK_SIZE
        cursor.execute(_quoted(_AT, DEFAULT_DB_ALIAS), (content_id, position, lowest))
        row = cursor.fetchone()
    return row and ChunkRow(*row)


def chunks_from(
    content_id: int, position: int, limit: int, *, using: str = DEFAULT_DB_ALIAS
) -> list[ChunkRow]:
    """Return up to `limit` chunks in order, from the first at or behind `position`."""
    with _content_cursor(using) as cursor:
        cursor.execute(_quoted(_FROM, using), (content_id, position, limit))
        return [ChunkRow(*row) for row in cursor.fetchall()]


def chunks_of(
    content_ids: Iterable[int], *, using: str = DEFAULT_DB_ALIAS
) -> dict[int, list[ChunkRow]]:
    """Return all chunks of some contents by id, those of each in order."""
    ids = tuple(content_ids)
    found: dict[int, list[ChunkRow]] = {content_id: [] for content_id in ids}
    if not ids:
        return found
    with _content_cursor(using) as cursor:
        cursor.execute(_quoted(_OF_ALL, using, ", ".join(["%s"] * len(ids))), ids)
        for content_id, *row in cursor.fetchall():
            found[content_id].append(ChunkRow(*row))
    for chunks in found.values():
        chunks.sort(key=lambda chunk: chunk.offset)
    return found


def slices(content_id: int, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[tuple[int, int, int]]:
    """Yield offset, size and checksum of each chunk in order; a query for 1 GiB, without data."""
    rows = Chunk.objects.using(using).filter(content_id=content_id).order_by("offset")
    last = -1
    while page := list(
        rows.filter(offset__gt=last).values_list("offset", "size", "checksum")[:ROWS_PER_PAGE]
    ):
        yield from page
        last = page[-1][0]


def end_of_chunks(content_id: int, *, using: str = DEFAULT_DB_ALIAS) -> int | None:
    """Return how many bytes there are, None where they are not in one piece from 0 on."""
    position = 0
    for offset, size, _checksum in slices(content_id, using=using):
        if offset != position or size < 1:
            return None
        position += size
    return position


def remove_chunks(content_id: int, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Remove a content's chunks, a few a transaction; return the bytes given back."""
    chunks = Chunk.objects.using(using)
    rows = chunks.filter(content_id=content_id).values_list("pk", "size")
    removed = 0
    while batch := dict(rows[:ROWS_PER_REMOVAL]):
        chunks.filter(pk__in=batch).delete()
        removed += sum(batch.values())
    return removed


def truncate_chunks(content_id: int, size: int) -> bool:
    """Remove what is behind the first `size` bytes, a few rows; tell whether that was all."""
    behind = Chunk.objects.filter(content_id=content_id, offset__gte=size).values_list("pk")
    if batch := [pk for (pk,) in behind[:ROWS_PER_REMOVAL]]:
        Chunk.objects.filter(pk__in=batch).delete()
        return False
    last = last_slice(content_id)
    if last is not None and sum(last) > size:
        found = chunk_at(content_id, last[0])
        data = found.data[: size - last[0]] if found else b""
        Chunk.objects.filter(content_id=content_id, offset=last[0]).delete()
        add_chunks(content_id, [ChunkRow(last[0], len(data), zlib.crc32(data), data)])
    return True


def last_slice(content_id: int) -> tuple[int, int] | None:
    """Return offset and size of the last chunk, without its data; None where there is none."""
    rows = Chunk.objects.filter(content_id=content_id).order_by("-offset")
    return rows.values_list("offset", "size").first()


def release_connection() -> None:
    """Lend the thread's connection to others until the next query, unless in a transaction."""
    connection.release()  # type: ignore[attr-defined]  # of `fileserver`'s backends, too


def _content_cursor(using: str) -> CursorWrapper:
    """Return a cursor that is fast with long bytes; its rows are to be read to the end."""
    database: Any = connections[using]  # With what `fileserver`'s backends have more.
    cursor: CursorWrapper = database.content_cursor()
    return cursor


def _quoted(statement: str, using: str, *more: str) -> str:
    return statement.format(connections[using].ops.quote_name("offset"), *more)
