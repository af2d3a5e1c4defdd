"""Archives larger than anybody wants to store: what is zero in them is only counted."""

from __future__ import annotations

import io
import zlib

from files.crc32 import crc32_combine


class SparseFile(io.RawIOBase):
    """A file of which only the parts that are not zero are kept."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, bytes]] = []
        self.size = self.position = 0

    def append(self, data: bytes) -> None:
        self.parts.append((self.size, data))
        self.size += len(data)

    def append_zeros(self, count: int) -> None:
        self.size += count

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset + (0, self.position, self.size)[whence]
        return self.position

    def read(self, size: int = -1) -> bytes:
        stop = self.size if size < 0 else min(self.position + size, self.size)
        data = bytearray(max(stop - self.position, 0))
        for start, part in self.parts:
            low, high = max(start, self.position), min(start + len(part), stop)
            if low < high:
                data[low - self.position : high - self.position] = part[low - start : high - start]
        self.position = max(stop, self.position)
        return bytes(data)


def crc32_of_zeros(size: int) -> int:
    """Return their CRC-32, doubling what is known of one zero."""
    crc, known, result = zlib.crc32(b"\0"), 1, 0
    while size:
        if size & 1:
            result = crc32_combine(result, crc, known)
        crc, known, size = crc32_combine(crc, crc, known), known * 2, size >> 1
    return result
