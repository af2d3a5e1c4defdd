"""What an export is written to, whatever it is made of, and what all of them share."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from files import storage
from files.exceptions import CorruptContentError, gettext_noop
from files.models import File
from files.processing.export_manifest import Line, Manifest

BLOCK = 1 << 20


class TargetError(Exception):
    """The target cannot be used; `str()` is a sentence that says why."""


class Target(Protocol):
    """A place that takes files: `put` each, `finish`, `publish`; `close` in any case."""

    def put(self, file: File, path: str) -> tuple[int | None, bool]:
        """Write `file` as `path`; return its position, and whether it was there already.

        Raises CorruptContentError for a damaged file and OSError where it cannot be
        written; nothing is left of it then.
        """

    def finish(self, manifest: Manifest) -> None:
        """Write what comes behind all files, and see to it that all is on the disk."""

    def read(self, line: Line) -> Iterator[bytes]:
        """Yield what was written, read from the disk where the system can."""

    def publish(self) -> None:
        """Say that the export is whole."""

    def close(self) -> None:
        """Let go of what is open, and remove what is of no use unless published."""


def read_checked(file: File) -> Iterator[bytes]:
    """Yield the file's bytes; raises CorruptContentError unless they have its size and hash."""
    hasher, size = hashlib.sha256(), 0
    for block in storage.read(file, 0, file.size):
        hasher.update(block)
        size += len(block)
        yield block
    if size != file.size or hasher.hexdigest() != file.hash:
        raise CorruptContentError(
            gettext_noop("The bytes of file %(id)s are not those that were uploaded."), id=file.pk
        )


def lock(descriptor: int, path: Path) -> None:
    """Keep other exports away from what is open; raises TargetError where one is at it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TargetError(f"Another export is writing to {path}.") from error
    except OSError:
        return  # Some network file systems have no such locks.


def forget_cached(descriptor: int) -> None:
    """Have what is read next come from the disk itself."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
