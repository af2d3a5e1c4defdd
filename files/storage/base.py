"""The one interface over where bytes live; callers never ask which home it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from files.models import Content


class ContentWriter(Protocol):
    """Takes bytes in order and makes one `Content` of them."""

    content: Content

    def append(self, data: bytes) -> None:
        """Write `data` behind what is there; it may stay in memory until `flush`."""

    def flush(self) -> None:
        """Write what is left; inside the caller's transaction, which makes it visible."""

    def discard(self) -> None:
        """Give up what was written, unless a file owns it."""


class ContentStorage(Protocol):
    """A home for contents."""

    def open_writer(self) -> ContentWriter:
        """Return a writer of a new content; nobody owns it before `flush` is committed."""

    def read(self, content: Content, start: int, stop: int) -> Iterator[bytes]:
        """Yield bytes `start` to `stop` (exclusive) in blocks of at most 1 MiB.

        Raises CorruptContentError where a checksum fails or bytes are missing.
        """

    def remove(self, content: Content) -> int:
        """Remove it in small transactions, its row last; return the bytes given back."""
