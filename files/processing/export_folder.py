"""An export as a tree of folders. Each file appears whole, so one that broke off can go on.

Entry point: FolderTarget. Every folder is opened from the one around it, and no link is
followed, so that nothing is ever written outside of the target.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from files.models import File
from files.processing.export_manifest import DETAILS_NAME, SUMS_NAME, Line, Manifest
from files.processing.export_target import BLOCK, TargetError, forget_cached, lock, read_checked

# Says that the folder is an export's, until that is finished.
MARK_NAME = ".export.unfinished"
# A file that is being written.
PART_NAME = ".export.part"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe without a writer is opened at once and not waited for.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FolderTarget:
    """A folder that is new, empty, or of an earlier export.

    A file of it that has the path of one to be exported, and other bytes, is replaced.
    """

    def __init__(self, path: Path) -> None:
        """Make the folder where there is none; raises TargetError where it cannot be used."""
        check_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        # The folder that is open, besides the target itself, and its path in the target.
        self._inner, self._inner_path = -1, ""
        self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            lock(self._root, path)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(MARK_NAME, _NEW, 0o666, dir_fd=self._root))
        except BaseException:
            self.close()
            raise

    def put(self, file: File, path: str) -> tuple[int | None, bool]:
        parent, _, name = path.rpartition("/")
        folder = self._enter(parent)
        moment = _nanoseconds(file.upload_date)
        if _is_there(folder, name, file, moment):
            return None, True
        self._write(folder, name, read_checked(file), moment)
        return None, False

    def finish(self, manifest: Manifest) -> None:
        folder = self._enter("")
        self._write(folder, SUMS_NAME, manifest.sums())
        self._write(folder, DETAILS_NAME, manifest.details())
        os.fsync(folder)

    def read(self, line: Line) -> Iterator[bytes]:
        parent, _, name = line.path.rpartition("/")
        descriptor = os.open(name, _READ, dir_fd=self._enter(parent))
        with open(descriptor, "rb", buffering=0) as file:
            forget_cached(descriptor)
            yield from iter(lambda: file.read(BLOCK), b"")

    def publish(self) -> None:
        os.unlink(MARK_NAME, dir_fd=self._root)
        os.fsync(self._root)

    def close(self) -> None:
        for descriptor in (self._inner, self._root):
            if descriptor >= 0:
                os.close(descriptor)
        self._inner = self._root = -1

    def _enter(self, path: str) -> int:
        """Return the folder `path`, made where it is missing; the one before is made durable."""
        if path != self._inner_path:
            if self._inner >= 0:
                os.fsync(self._inner)
                os.close(self._inner)
            self._inner, self._inner_path = -1, ""
            if path:
                self._inner = _opened(self._root, path.split("/"))
                self._inner_path = path
        return self._inner if path else self._root

    def _write(
        self, folder: int, name: str, blocks: Iterable[bytes], moment: int | None = None
    ) -> None:
        """Write a file aside, then put it in its place at once."""
        self._remove_part()
        try:
            with open(os.open(PART_NAME, _NEW, 0o666, dir_fd=self._root), "wb") as file:
                file.writelines(blocks)
                file.flush()
                if moment is not None:
                    os.utime(file.fileno(), ns=(moment, moment))
                os.fsync(file.fileno())
            os.rename(PART_NAME, name, src_dir_fd=self._root, dst_dir_fd=folder)
        except BaseException:
            self._remove_part()
            raise

    def _remove_part(self) -> None:
        """Remove what an export that was killed has left; it could be a link to anywhere."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(PART_NAME, dir_fd=self._root)


def check_folder(path: Path) -> None:
    """Raise TargetError unless an export may write into `path`."""
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        raise TargetError(f"{path} is no folder.")
    if next(path.iterdir(), None) is None or os.path.lexists(path / MARK_NAME):
        return
    if not _is_manifest(path / DETAILS_NAME):
        raise TargetError(f"{path} holds other things than an export; choose an empty folder.")


def _is_manifest(path: Path) -> bool:
    """Tell whether an export wrote this file; of nothing, if it is empty."""
    try:
        with open(os.open(path, _READ), encoding="utf-8") as file:
            first = file.readline(1 << 16)
        return not first or {"id", "path", "hash", "upload_date"} <= json.loads(first).keys()
    except (OSError, ValueError, AttributeError):
        return False


def _opened(root: int, parts: Iterable[str]) -> int:
    """Return the folder that `parts` lead to, made where it is missing."""
    descriptor = os.dup(root)
    for part in parts:
        outer = descriptor
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=outer)
                os.fsync(outer)
            descriptor = os.open(part, _FOLDER, dir_fd=outer)
        except NotADirectoryError as error:
            raise OSError(error.errno, f"“{part}” is a link or a file, and no folder") from error
        finally:
            os.close(outer)
    return descriptor


def _is_there(folder: int, name: str, file: File, moment: int) -> bool:
    """Tell whether the file is there with its bytes; its time is set right then."""
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(info.st_mode):
        raise OSError(errno.EEXIST, f"“{name}” is a link or a folder, and no file")
    if info.st_size != file.size:
        return False
    with open(os.open(name, _READ, dir_fd=folder), "rb", buffering=0) as found:
        if hashlib.file_digest(found, "sha256").hexdigest() != file.hash:
            return False
        if info.st_mtime_ns != moment:
            os.utime(found.fileno(), ns=(moment, moment))
    return True


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
