"""Writes ZIP archives member by member: stored, ZIP64 where needed, in constant memory.

Entry points: ZipWriter, whose records go around the members' own bytes; ZipLength, which
tells the archive's length from its members before there is any of it.
Source: APPNOTE 6.3.10; sections are named where they say what to write.

The standard library's `zipfile` keeps each member in memory (about 1 KB), and puts sizes
behind what it cannot seek in, which Java's ZipInputStream refuses for stored members.
Here size and CRC-32 are known beforehand, so that each header is final.
"""

from __future__ import annotations

import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# The central directory is kept in memory up to this many bytes, then in a temporary file.
DIRECTORY_IN_MEMORY = 1 << 20
# Bytes of one piece of the central directory.
PIECE = 128 << 10

_LOCAL = struct.Struct("<4s5H3I2H")  # 4.3.7
_CENTRAL = struct.Struct("<4s6H3I5H2I")  # 4.3.12
_END = struct.Struct("<4s4H2IH")  # 4.3.16
_END64 = struct.Struct("<4sQ2H2I4Q")  # 4.3.14
_LOCATOR64 = struct.Struct("<4sIQI")  # 4.3.15
# What a field of 2 or 4 bytes holds when the value is in a ZIP64 field instead.
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF

_UTF8_NAME = 1 << 11  # 4.4.4: this flag says that names are UTF-8
_STORED = 0
_VERSION, _VERSION_ZIP64 = 20, 45  # 4.4.3: 2.0 knows folders, 4.5 ZIP64
_MADE_BY = 3 << 8 | 63  # 4.4.2: Unix, by version 6.3 of the specification
_ATTRIBUTES = 0o100644 << 16  # a regular file, of which its owner may write
_ZIP64_EXTRA = 0x0001  # 4.5.3
_TIME_EXTRA = 0x5455  # 4.6.1, "UT": seconds since 1970, which DOS times lack the zone for

_DOS_BEGIN = (1980, 1, 1, 0, 0, 0)
_DOS_END = (2107, 12, 31, 23, 59, 58)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, as its headers tell of it."""

    name: str  # a safe path, parts joined by "/": see files.member_names
    size: int  # bytes
    modified: int  # seconds since 1970, UTC


class ZipLength:
    """Adds up what an archive of these members, in this order, will have in bytes."""

    def __init__(self) -> None:
        self.directory = 0  # bytes of the central directory
        self._members = self._count = 0

    def add(self, member: Member) -> None:
        """Count one more member."""
        self.directory += len(_central_header(member, 0, self._members))
        self._members += len(_local_header(member, 0)) + member.size
        self._count += 1

    @property
    def total(self) -> int:
        """Return the length of the archive, if no member follows."""
        end = _end_records(self._count, self.directory, self._members)
        return self._members + self.directory + len(end)


class ZipWriter:
    """Makes the records of one archive; the caller sends them and the members' bytes.

    For each member `begin`, then exactly its bytes; in the end `finish`. Holds about
    (60 + name) bytes a member: in memory up to 1 MiB of them, else in a temporary file.
    """

    def __init__(self) -> None:
        self.position = 0  # bytes from the start of the archive to the next member
        self._count = 0
        self._directory = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # see close
            max_size=DIRECTORY_IN_MEMORY
        )
        # Where the last member began, in the archive and in the directory.
        self._last = (0, 0)

    def begin(self, member: Member, crc: int) -> bytes:
        """Return what stands before the member's bytes, whose CRC-32 is `crc`."""
        header = _local_header(member, crc)
        self._last = (self.position, self._directory.tell())
        self._directory.write(_central_header(member, crc, self.position))
        self.position += len(header) + member.size
        self._count += 1
        return header

    def withdraw(self) -> int:
        """Forget the member begun last; return where it began, to be cut off there."""
        self.position, entry = self._last
        self._directory.seek(entry)
        self._directory.truncate()
        self._count -= 1
        return self.position

    def finish(self) -> Iterator[bytes]:
        """Yield the central directory and what ends the archive."""
        size = self._directory.tell()
        self._directory.seek(0)
        yield from iter(lambda: self._directory.read(PIECE), b"")
        yield _end_records(self._count, size, self.position)

    def close(self) -> None:
        """Remove the temporary file."""
        self._directory.close()


def _local_header(member: Member, crc: int) -> bytes:
    name = member.name.encode()
    extra = _time_extra(member)
    size, version = member.size, _VERSION
    if size >= _MAX32:
        # 4.5.3: here always both sizes.
        extra = struct.pack("<2H2Q", _ZIP64_EXTRA, 16, size, size) + extra
        size, version = _MAX32, _VERSION_ZIP64
    clock, day = _dos_time(member.modified)
    return (
        _LOCAL.pack(
            *(b"PK\x03\x04", version, _UTF8_NAME, _STORED, clock, day),
            *(crc, size, size, len(name), len(extra)),
        )
        + name
        + extra
    )


def _central_header(member: Member, crc: int, offset: int) -> bytes:
    name = member.name.encode()
    size, large = member.size, b""
    if size >= _MAX32:
        large = struct.pack("<2Q", size, size)
        size = _MAX32
    if offset >= _MAX32:
        large += struct.pack("<Q", offset)
        offset = _MAX32
    extra = _time_extra(member)
    if large:
        extra = struct.pack("<2H", _ZIP64_EXTRA, len(large)) + large + extra
    clock, day = _dos_time(member.modified)
    return (
        _CENTRAL.pack(
            *(b"PK\x01\x02", _MADE_BY, _VERSION_ZIP64 if large else _VERSION),
            *(_UTF8_NAME, _STORED, clock, day, crc, size, size, len(name), len(extra)),
            *(0, 0, 0, _ATTRIBUTES, offset),  # comment, disk, internal attributes
        )
        + name
        + extra
    )


def _end_records(count: int, size: int, offset: int) -> bytes:
    """Return what follows a central directory of `size` bytes that begins at `offset`."""
    end = _END.pack(
        *(b"PK\x05\x06", 0, 0, min(count, _MAX16), min(count, _MAX16)),
        *(min(size, _MAX32), min(offset, _MAX32), 0),
    )
    if count < _MAX16 and size < _MAX32 and offset < _MAX32:
        return end
    # Its size leaves out its first twelve bytes.
    end64 = _END64.pack(
        *(b"PK\x06\x06", _END64.size - 12, _MADE_BY, _VERSION_ZIP64),
        *(0, 0, count, count, size, offset),
    )
    return end64 + _LOCATOR64.pack(b"PK\x06\x07", 0, offset + size, 1) + end


def _time_extra(member: Member) -> bytes:
    """Return the time in UTC; nothing where its four signed bytes cannot hold it."""
    if not 0 <= member.modified < 1 << 31:
        return b""
    return struct.pack("<2HBi", _TIME_EXTRA, 5, 1, member.modified)


@lru_cache(maxsize=1024)
def _dos_time(modified: int) -> tuple[int, int]:
    """Return time and date as DOS writes them, in UTC: two seconds exact, 1980 to 2107."""
    moment = min(max(time.gmtime(modified)[:6], _DOS_BEGIN), _DOS_END)
    year, month, day, hour, minute, second = moment
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
