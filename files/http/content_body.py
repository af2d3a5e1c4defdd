"""The bytes of a download: a file whole, a range of it, or several (multipart/byteranges).

Entry point: ContentBody. Memory: one block of storage, 1 MiB at
most, and what the server keeps ready of it.
"""

from __future__ import annotations

import codecs
import logging
import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice

from files import storage
from files.http.ranges import ByteRange
from files.http.slots import transfer_slots
from files.models import File

logger = logging.getLogger(__name__)

# Bytes; a body up to this is better read whole before the answer begins: then all
# damage in it is a clean 500.
PLAIN_SIZE = 1 << 20
# Bytes handed to the server at a time: it keeps several ready for a slow client. With
# blocks of 1 MiB each stalled download held 12.6 MiB.
SENT_SIZE = 128 << 10
# Bytes at the start of a text that tell whether it is UTF-8.
_TEXT_HEAD_SIZE = 64 << 10


class ContentBody:
    """Iterates over the body once; `headers` are those that depend on its form.

    `ranges` is None for the whole file, else not empty. Raises CorruptContentError in
    the middle where bytes are wrong, which breaks the connection. `close` lets go of
    the storage; the response calls it, also when the client has gone away.
    """

    def __init__(self, file: File, ranges: Sequence[ByteRange] | None, content_type: str) -> None:
        self.headers = {"Content-Type": content_type}
        self._parts = [(b"", part) for part in ranges or [ByteRange(0, file.size)]]
        self._end = b""
        if ranges and len(ranges) == 1:
            self.headers["Content-Range"] = ranges[0].content_range(file.size)
        elif ranges:
            self._make_multipart(ranges, content_type, file.size)
        self.length = sum(len(head) + part.size for head, part in self._parts) + len(self._end)
        self.headers["Content-Length"] = str(self.length)
        self._blocks = self._assemble(file)
        self._first = b""
        self._held = ExitStack()
        self._held.callback(self._blocks.close)

    def start(self) -> None:
        """Read the first block, so that damage there raises while there is no answer yet.

        Raises ServerBusyError where too many transfers are under way.
        """
        self._held.enter_context(transfer_slots.take())
        # A part's head, which may be empty, comes before its first block.
        self._first = b"".join(islice(self._blocks, 2))

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        self._first = b""
        yield from self._blocks

    def close(self) -> None:
        self._held.close()

    def _make_multipart(self, ranges: Sequence[ByteRange], content_type: str, size: int) -> None:
        boundary = secrets.token_hex(16)
        self.headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
        self._parts = [
            (
                f"\r\n--{boundary}\r\n"
                f"Content-Type: {content_type}\r\n"
                f"Content-Range: {part.content_range(size)}\r\n\r\n".encode(),
                part,
            )
            for part in ranges
        ]
        self._end = f"\r\n--{boundary}--\r\n".encode()

    def _assemble(self, file: File) -> Generator[bytes]:
        for head, part in self._parts:
            yield head
            for block in _read(file, part):
                for start in range(0, len(block), SENT_SIZE):
                    yield block[start : start + SENT_SIZE]
        yield self._end


def is_utf8(file: File) -> bool:
    """Tell whether a text is UTF-8 beyond doubt; costs a read of its first 64 KiB.

    Where more follows, those have to hold a character beyond ASCII.
    """
    head = ByteRange(0, min(file.size, _TEXT_HEAD_SIZE))
    is_whole = head.stop == file.size
    data = b"".join(_read(file, head))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=is_whole)
    except UnicodeDecodeError:
        return False
    return is_whole or not data.isascii()


def _read(file: File, part: ByteRange) -> Generator[bytes]:
    """Yield the bytes of `part`; what goes wrong is logged with the file's id, and raised."""
    try:
        yield from storage.read(file, part.start, part.stop)
    except Exception as error:
        # The traceback is logged by whoever catches it; only the file is known here.
        logger.error("Reading file %s, bytes from %s, failed: %r", file.pk, part.start, error)
        raise
