"""Reads the bytes of files from the source of a copy, and believes none of them unseen.

Entry point: SourceBytes. Memory: what `short` is asked for, or READ_ROWS chunks.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from django.db import DatabaseError

from files.models import File
from files.services.copying.rows import Row
from files.storage import require_damage
from files.storage.chunk_rows import ChunkRow, chunks_from, chunks_of

# Chunks of 1 MiB that one query brings.
READ_ROWS = 4


class DamagedError(Exception):
    """The source's bytes of a file are not what was uploaded; `str()` tells what is wrong."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file of the source that the target has not got."""

    row: Row  # its columns but the bytes
    id: int
    name: str
    size: int  # bytes
    hash: str
    content_id: int | None

    @property
    def content(self) -> int:
        """Return the id of the content of a file that has one."""
        if self.content_id is None:
            raise ValueError(f"The bytes of file {self.id} are in its row.")
        return self.content_id


class SourceBytes:
    """The bytes of one database's files."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def short(
        self, files: Iterable[Incoming], on_damaged: Callable[[Incoming, str], object]
    ) -> dict[int, list[ChunkRow]]:
        """Return the bytes of files by id, as chunks, their hashes proven; two queries.

        Those that are damaged are told and left out.
        """
        found: dict[int, list[ChunkRow]] = {}
        in_rows = bytes_in_rows(self._alias, files)
        in_chunks = self._of(file.content_id for file in files if file.content_id is not None)
        for file in files:
            try:
                if file.content_id is None:
                    found[file.id] = [_in_row(file, in_rows.get(file.id, b""))]
                else:
                    rows = in_chunks.get(file.content_id) or list(chain(*self.read(file, 0)))
                    _require_whole(file, rows)
                    found[file.id] = rows
            except DamagedError as error:
                on_damaged(file, str(error))
        return found

    def read(self, file: Incoming, position: int) -> Iterator[list[ChunkRow]]:
        """Yield a content's chunks from `position` on, checked; raises DamagedError.

        What lies behind the file's end is no part of it.
        """
        while position < file.size:
            try:
                rows = chunks_from(file.content, position, READ_ROWS, using=self._alias)
            except DatabaseError as error:
                require_damage(error)
                text = f"content {file.content} cannot be read from byte {position:,} on"
                raise DamagedError(text) from error
            if not rows:
                text = f"bytes {position:,} to {file.size:,} of content {file.content} are missing"
                raise DamagedError(text)
            position = _end_of(file, rows, position)
            yield rows

    def require_hash(self, file: Incoming) -> None:
        """Raise DamagedError unless a content's bytes are the file's; reads all of them."""
        hasher = hashlib.sha256()
        for rows in self.read(file, 0):
            for row in rows:
                hasher.update(row.data)
        if hasher.hexdigest() != file.hash:
            raise DamagedError(f"the bytes of content {file.content} are those of another file")

    def _of(self, content_ids: Iterable[int]) -> dict[int, list[ChunkRow]]:
        try:
            return chunks_of(content_ids, using=self._alias)
        except DatabaseError as error:
            require_damage(error)
            return {}  # One of them cannot be read: each is asked for by itself.


def bytes_in_rows(alias: str, files: Iterable[Incoming]) -> dict[int, bytes]:
    """Return the bytes that are in the rows of those files that have no content, by id."""
    ids = [file.id for file in files if file.content_id is None]
    if not ids:
        return {}
    rows = File.everything.using(alias).filter(pk__in=ids)
    return {pk: bytes(data or b"") for pk, data in rows.values_list("pk", "data")}


def _end_of(file: Incoming, rows: list[ChunkRow], position: int) -> int:
    """Return where the chunks end; raises DamagedError unless they follow `position`, whole."""
    for row in rows:
        end = row.offset + row.size
        if row.offset > position:
            text = f"bytes {position:,} to {row.offset:,} of content {file.content} are missing"
            raise DamagedError(text)
        is_whole = len(row.data) == row.size > 0 and zlib.crc32(row.data) == row.checksum
        if row.offset < position or not is_whole or end > file.size:
            text = f"bytes {row.offset:,} to {end:,} of content {file.content} are damaged"
            raise DamagedError(text)
        position = end
    return position


def _require_whole(file: Incoming, rows: list[ChunkRow]) -> None:
    """Raise DamagedError unless the chunks are the file."""
    position = _end_of(file, rows, 0)
    if position < file.size:
        text = f"bytes {position:,} to {file.size:,} of content {file.content} are missing"
        raise DamagedError(text)
    hasher = hashlib.sha256()
    for row in rows:
        hasher.update(row.data)
    if hasher.hexdigest() != file.hash:
        raise DamagedError(f"the bytes of content {file.content} are those of another file")


def _in_row(file: Incoming, data: bytes) -> ChunkRow:
    """Return the bytes of a file's own row as a chunk; raises DamagedError."""
    if hashlib.sha256(data).hexdigest() != file.hash:
        raise DamagedError("the bytes in its row are damaged")
    if len(data) != file.size:
        raise DamagedError(f"its row says {file.size:,} bytes, {len(data):,} are there")
    return ChunkRow(0, len(data), zlib.crc32(data), data)
