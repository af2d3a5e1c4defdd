"""The one interface over where bytes live; callers never ask which home it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from files.models import Content
from files.sha256 import Sha256


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes `start` to `stop` (exclusive) of a content that are not what was stored."""

    class Kind(StrEnum):
        CHECKSUM = "checksum"  # other bytes than were written
        UNREADABLE = "unreadable"  # the database or the disk gives an error
        MISSING = "missing"  # nothing is there
        OVERLAP = "overlap"  # stored twice
        SURPLUS = "surplus"  # behind the end

    start: int
    stop: int
    kind: Kind


class ContentWriter(Protocol):
    """Takes bytes in order and makes one `Content` of them."""

    content: Content
    # Of the first `size` bytes, of all once it is sealed; None where somebody else hashes.
    hasher: Sha256 | None
    # Bytes there are with the batch that is being written; for `on_batch`, or once it is sealed.
    size: int

    def append(self, data: bytes) -> None:
        """Write `data` behind what is there; it may stay in memory until `flush`.

        What is written may be so by another thread, and its error raised by a later call.
        """

    def seal(self) -> None:
        """Hash what is left, of which no more will come; before the transaction that flushes."""

    def flush(self) -> None:
        """Write what is left; inside the caller's transaction, which makes it visible."""

    def pause(self) -> None:
        """Commit all that came; another writer may go on behind it."""

    def discard(self) -> None:
        """Give up what was written, unless a file owns it."""


class ContentStorage(Protocol):
    """A home for contents."""

    def open_writer(
        self,
        content: Content | None = None,
        size: int = 0,
        *,
        hasher: Sha256 | None = None,
        on_batch: Callable[[Any], None] | None = None,
    ) -> ContentWriter:
        """Return a writer of a new content, or behind the first `size` bytes of `content`.

        `hasher` has these bytes already. `on_batch` gets the writer inside each batch's
        transaction. Nobody owns what is written before `flush` is committed.
        """

    def truncate(self, content: Content, size: int, guard: Callable[[], object]) -> None:
        """Leave the first `size` bytes of a content that nobody owns yet.

        `guard` is called within each transaction; what it raises, undoes and ends it.
        """

    def read(self, content: Content, start: int, stop: int) -> Iterator[bytes]:
        """Yield bytes `start` to `stop` (exclusive) in blocks of at most 1 MiB.

        Raises CorruptContentError where a checksum fails or bytes are missing.
        """

    def read_short(self, contents: Collection[Content]) -> dict[int, bytes]:
        """Return the bytes of contents by id, where that is quicker than one by one.

        All are in memory. Those that are damaged are left out, others may be: `read` them.
        """

    def crc32(self, content: Content) -> int:
        """Return the CRC-32 of all its bytes, without reading them where that can be.

        Raises CorruptContentError where bytes are missing.
        """

    def inspect(self, content: Content) -> Iterator[bytes | memoryview | Damage]:
        """Yield all its bytes in order, and a Damage for each stretch that is not whole.

        Goes on behind a damage, and raises only where the home is away or busy.
        """

    def remove(self, content: Content) -> int:
        """Remove it in small transactions, its row last; return the bytes given back."""
