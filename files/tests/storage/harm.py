"""Harms stored bytes beside their storage, as a failing disk or a careless hand would.

Entry point: HARMS. A home that is added there is one that every test of the contract tries.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from files.models import Chunk, Content


class Harm(Protocol):
    """What can be done to a content of one home."""

    def flip(self, content: Content, position: int) -> None:
        """Flip a bit of the byte at `position`."""

    def lose(self, content: Content, position: int) -> None:
        """Take away a stretch that holds `position`."""

    def double(self, content: Content, position: int) -> None:
        """Store the byte at `position` a second time, by itself."""

    def lengthen(self, content: Content, data: bytes) -> None:
        """Put `data` behind the end."""

    def count_pieces(self) -> int:
        """Return how many rows or objects hold bytes, of all contents together."""


class ChunkRowsHarm:
    """Does it to the chunk rows of the database."""

    def flip(self, content: Content, position: int) -> None:
        chunk = self._chunk_at(content, position)
        data = bytearray(chunk.data)
        data[position - chunk.offset] ^= 4
        Chunk.objects.filter(pk=chunk.pk).update(data=bytes(data))

    def lose(self, content: Content, position: int) -> None:
        self._chunk_at(content, position).delete()

    def double(self, content: Content, position: int) -> None:
        chunk = self._chunk_at(content, position)
        place = position - chunk.offset
        self._add(content, position, bytes(chunk.data[place : place + 1]))

    def lengthen(self, content: Content, data: bytes) -> None:
        self._add(content, content.size, data)

    def count_pieces(self) -> int:
        return Chunk.objects.count()

    def _chunk_at(self, content: Content, position: int) -> Chunk:
        return content.chunks.filter(offset__lte=position).latest("offset")

    def _add(self, content: Content, offset: int, data: bytes) -> None:
        content.chunks.create(offset=offset, size=len(data), checksum=zlib.crc32(data), data=data)


HARMS: dict[str, Harm] = {Content.Home.DATABASE: ChunkRowsHarm()}
