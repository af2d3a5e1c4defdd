"""An export as a ZIP archive, written as NAME.part and renamed when it is whole.

Entry point: ZipTarget.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from files import storage
from files.models import MAX_CHUNK_SIZE, File
from files.processing.export_manifest import DETAILS_NAME, SUMS_NAME, Line, Manifest
from files.processing.export_target import BLOCK, TargetError, forget_cached, lock, read_checked
from files.zip_stream import Member, ZipWriter


class ZipTarget:
    """An archive that is not there yet."""

    def __init__(self, path: Path) -> None:
        """Create the file; raises TargetError where that cannot be."""
        check_zip(path)
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        # What an export that was killed has left is written over.
        self._file: BinaryIO = open(os.open(self._part, flags, 0o666), "r+b")  # noqa: SIM115
        self._writer = ZipWriter()
        # Until it is known to be ours.
        self._is_kept = True
        try:
            lock(self._file.fileno(), path)
            self._require_ours()
            self._file.truncate(0)
        except BaseException:
            self.close()
            raise
        self._is_kept = False

    def put(self, file: File, path: str) -> tuple[int | None, bool]:
        member = Member(path, file.size, int(file.upload_date.timestamp()))
        if file.size <= MAX_CHUNK_SIZE:
            data = b"".join(read_checked(file))
            return self._add(member, zlib.crc32(data), [data]), False
        return self._add(member, storage.crc32(file), read_checked(file)), False

    def finish(self, manifest: Manifest) -> None:
        for name, lines in ((SUMS_NAME, manifest.sums()), (DETAILS_NAME, manifest.details())):
            with tempfile.TemporaryFile() as spool:
                crc = 0
                for line in lines:
                    crc = zlib.crc32(line, crc)
                    spool.write(line)
                member = Member(name, spool.tell(), int(os.fstat(spool.fileno()).st_mtime))
                spool.seek(0)
                self._add(member, crc, _blocks(spool))
        self._file.writelines(self._writer.finish())
        self._file.flush()
        os.fsync(self._file.fileno())
        forget_cached(self._file.fileno())

    def read(self, line: Line) -> Iterator[bytes]:
        self._file.seek(line.position or 0)
        left = line.size
        while left and (block := self._file.read(min(BLOCK, left))):
            left -= len(block)
            yield block

    def publish(self) -> None:
        check_zip(self._path)
        os.rename(self._part, self._path)
        self._is_kept = True
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)

    def close(self) -> None:
        if not self._is_kept:
            self._part.unlink(missing_ok=True)
        self._file.close()
        self._writer.close()

    def _add(self, member: Member, crc: int, blocks: Iterable[bytes]) -> int:
        """Write one member; return where its bytes begin. Leaves nothing where that fails."""
        try:
            self._file.write(self._writer.begin(member, crc))
            position = self._file.tell()
            self._file.writelines(blocks)
        except BaseException:
            self._file.seek(self._writer.withdraw())
            self._file.truncate()
            raise
        return position

    def _require_ours(self) -> None:
        """Raise TargetError where another export has just given the file its name."""
        opened = os.fstat(self._file.fileno())
        if not self._part.exists() or not os.path.samestat(opened, self._part.stat()):
            raise TargetError(f"Another export has written {self._path}.")


def check_zip(path: Path) -> None:
    """Raise TargetError unless an archive can be made there."""
    if os.path.lexists(path):
        raise TargetError(f"{path} is there already.")
    if not path.parent.is_dir():
        raise TargetError(f"There is no folder {path.parent}.")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(BLOCK), b"")
