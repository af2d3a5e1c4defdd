"""What will be in an archive: kept aside of memory, however many files there are.

Entry point: Plan, filled once and then read in order. Whatever is deleted meanwhile, what
the plan holds stays readable: small files are in it with their bytes, and the contents of
the others are kept from `sweep`.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from files.models import Content
from files.zip_stream import Member

# The plan is kept in memory up to this many bytes, then in a temporary file.
IN_MEMORY = 1 << 20
# Contents that one query asks for.
BATCH = 500

# File, content (0: its bytes follow), size, time, lengths of the name and of the bytes.
_HEAD = struct.Struct("<QQQqHH")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that goes into the archive."""

    file_id: int
    content_id: int | None
    member: Member
    data: bytes  # all of it where there is no content

    def packed(self) -> bytes:
        """Return the entry as bytes."""
        name = self.member.name.encode()
        numbers = (self.file_id, self.content_id or 0, self.member.size, self.member.modified)
        return _HEAD.pack(*numbers, len(name), len(self.data)) + name + self.data


class Plan:
    """The entries of one archive, in order.

    Takes 36 bytes an entry, and its name, and the bytes of a small file (2 KB at most).
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # see close
        self.size = 0  # bytes

    def add(self, entry: Entry) -> None:
        """Put `entry` behind the others."""
        packed = entry.packed()
        self._file.write(packed)
        self.size += len(packed)

    def entries(self, start: int = 0) -> Iterator[tuple[int, Entry]]:
        """Yield each entry from the place `start` on, and its place before it."""
        while start < self.size:
            self._file.seek(start)
            file_id, content_id, size, modified, name_size, data_size = _HEAD.unpack(
                self._file.read(_HEAD.size)
            )
            name = self._file.read(name_size).decode()
            data = self._file.read(data_size)
            yield start, Entry(file_id, content_id or None, Member(name, size, modified), data)
            start += _HEAD.size + name_size + data_size

    def keep_contents(self, start: int) -> None:
        """Keep from `sweep` what is needed from the place `start` on, though it was deleted.

        To be called every third of Content.GRACE_TIME. A query for 500 contents.
        """
        ids = (entry.content_id for _, entry in self.entries(start) if entry.content_id)
        while batch := list(islice(ids, BATCH)):
            # Looked at first: nothing of it is released as a rule, and to write is to wait.
            released = Content.objects.filter(pk__in=batch, state=Content.State.RELEASED)
            if gone := list(released.values_list("pk", flat=True)):
                Content.objects.filter(pk__in=gone, state=Content.State.RELEASED).update(
                    keep_until=Content.grace_end()
                )

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()
