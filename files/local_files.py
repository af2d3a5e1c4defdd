"""Files on this machine's disks: finds them in trees of folders, opens them without waiting.

Entry point: TreeWalk. A folder is held by a descriptor while it is walked, so that one that
is swapped for a link meanwhile leads nowhere else. Memory: the names of the folders that
lead to the one being read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass

# A pipe without a writer is opened at once and not waited for, a terminal not taken over.
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_KINDS = {
    stat.S_IFLNK: "It is a link, and links are not followed.",
    stat.S_IFIFO: "It is a pipe.",
    stat.S_IFSOCK: "It is a socket.",
    stat.S_IFCHR: "It is a device.",
    stat.S_IFBLK: "It is a device.",
}

_OURS = "It belongs to the server itself."

# Device and inode: which file or folder it is, whatever its path.
FileIdentity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is, told in the way that nobody can redirect."""

    name: str  # in the folder `parent`; a path where that is None
    parent: int | None  # descriptor
    is_link_followed: bool

    def stat(self) -> os.stat_result:
        return os.stat(self.name, dir_fd=self.parent, follow_symlinks=self.is_link_followed)

    def open(self, flags: int = 0) -> int:
        flags |= 0 if self.is_link_followed else os.O_NOFOLLOW
        return os.open(self.name, _OPEN | flags, dir_fd=self.parent)


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file. `open` works until the walk is asked for the next one."""

    path: str  # for people and reports; bytes that are no UTF-8 are surrogates
    folder: str  # below the PATH it was found by, parts joined by "/"
    size: int  # bytes, when it was found
    place: _Place

    def open(self) -> int:
        """Return a descriptor; never waits, whatever the file became meanwhile."""
        return self.place.open()


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that is not taken, and why; a failure if it should have been."""

    path: str
    reason: str
    is_failure: bool = False


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    folder: str
    descriptor: int
    names: list[str]  # still to be visited, the next one last


def identity_of(info: os.stat_result) -> FileIdentity:
    """Return which file it is."""
    return info.st_dev, info.st_ino


def readable(name: str) -> str:
    """Return a name of the disk with "\ufffd" for what is no UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def printable(path: str) -> str:
    """Return a path in one line that does nothing to a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in path
    )


class TreeWalk:
    """Finds the regular files of a tree, in the order of their names.

    `without` are files and folders not to be entered. With `follow_links` each folder is
    walked once, by whatever path it is reached first, so that links that lead to
    themselves come to an end.
    """

    def __init__(
        self,
        *,
        include_hidden: bool = False,
        follow_links: bool = False,
        without: Collection[FileIdentity] = (),
    ) -> None:
        self._include_hidden = include_hidden
        self._follow_links = follow_links
        self._without = without
        self._walked: set[FileIdentity] = set()

    def walk(self, path: str) -> Iterator[Found | PassedOver]:
        """Yield what `path`, a file or a folder, holds; a link that it is itself is followed.

        A folder's own name begins the folder of all that is in it, unless `path` ends with
        "/" (or "." or "..").
        """
        own = readable(os.path.basename(path))
        place = _Place(path, None, is_link_followed=True)
        found = self._look(place, path, folder="", inner="" if own in {".", ".."} else own)
        if isinstance(found, _Folder):
            yield from self._tree(found)
        else:
            yield found

    def _tree(self, top: _Folder) -> Iterator[Found | PassedOver]:
        stack = [top]
        try:
            while stack:
                if not stack[-1].names:
                    os.close(stack.pop().descriptor)
                    continue
                found = self._visit(stack[-1], stack[-1].names.pop())
                if isinstance(found, _Folder):
                    stack.append(found)
                else:
                    yield found
        finally:
            for folder in stack:
                os.close(folder.descriptor)

    def _visit(self, parent: _Folder, name: str) -> Found | PassedOver | _Folder:
        path = os.path.join(parent.path, name)
        if name.startswith(".") and not self._include_hidden:
            return PassedOver(path, "Its name begins with a dot.")
        place = _Place(name, parent.descriptor, self._follow_links)
        inner = f"{parent.folder}/{readable(name)}".lstrip("/")
        return self._look(place, path, folder=parent.folder, inner=inner)

    def _look(
        self, place: _Place, path: str, *, folder: str, inner: str
    ) -> Found | PassedOver | _Folder:
        """Tell what it is: a file in `folder`, or the folder `inner`, with its names read."""
        try:
            info = place.stat()
            if stat.S_ISDIR(info.st_mode):
                return self._enter(place, path, inner)
        except OSError as error:
            return PassedOver(path, f"{error.strerror or error}.", is_failure=True)
        if not stat.S_ISREG(info.st_mode):
            return PassedOver(path, _KINDS.get(stat.S_IFMT(info.st_mode), "It is no file."))
        if identity_of(info) in self._without:
            return PassedOver(path, _OURS)
        return Found(path, folder, info.st_size, place)

    def _enter(self, place: _Place, path: str, folder: str) -> _Folder | PassedOver:
        descriptor = place.open(os.O_DIRECTORY)
        names: list[str] | None = None
        try:
            identity = identity_of(os.fstat(descriptor))
            if identity in self._without:
                return PassedOver(path, _OURS)
            if self._follow_links:
                if identity in self._walked:
                    return PassedOver(path, "Another path led to it before.")
                self._walked.add(identity)
            names = sorted(os.listdir(descriptor), reverse=True)
            return _Folder(path, folder, descriptor, names)
        finally:
            if names is None:
                os.close(descriptor)
