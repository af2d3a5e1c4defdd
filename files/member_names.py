"""Paths for files outside of the library, that every system can unpack and none misreads.

Entry point: MemberNames.path_of, which gives each file of one archive or folder a path of
its own. The same files in the same order get the same paths.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import OrderedDict
from collections.abc import Callable

MAX_PART_BYTES = 255  # of UTF-8, in one part of a path: what Linux and macOS take
# A longer one is no suffix that a program would look for.
_MAX_SUFFIX_BYTES = 40
# What stands for a character that Windows forbids, and for a part of which nothing is left.
_STAND_IN = "_"
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
# Control characters, marks that reverse the direction of text, line separators, the byte
# order mark, what UTF-8 cannot hold.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
# Joiners and such, which HFS+ leaves out of account when it compares names.
_IGNORED = re.compile("[\u200c\u200d\u206a-\u206f]")
# Names of devices on Windows, whatever the suffix.
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {port + number for port in ("COM", "LPT") for number in "123456789¹²³"}
)
# A bit of what stands for a path.
_IS_FOLDER = 1
# Folders whose paths are remembered, so that all files of one go to the same place.
_REMEMBERED_FOLDERS = 1024


def safe_part(text: str) -> str:
    """Return `text` as one part of a path; "" where nothing usable is in it.

    In it is nothing that separates, hides or reorders, no character and no name that
    Windows forbids, no dot or space at the end, and at most 255 bytes of UTF-8.
    """
    visible = _FORBIDDEN.sub(_STAND_IN, _UNSEEN.sub("", text))
    part = unicodedata.normalize("NFC", visible).strip().rstrip(". ")
    if part.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        part = _STAND_IN + part
    return _joined(*_split(part))


class MemberNames:
    """The paths given so far; each is given once, whatever system will compare them.

    Costs 12 to 24 bytes a path and for each folder, hashes of 8 bytes in a table that is
    at most two thirds full, and half as much again while the table grows.
    """

    def __init__(self) -> None:
        self._used = _Hashes()
        self._folders: OrderedDict[str, str] = OrderedDict()

    def path_of(self, folder: str, name: str) -> str:
        """Return a path for the file `name`, with "/" between its parts.

        The second of a name gets a number, "report (2).pdf"; so does what has the name
        of a folder, and a folder that has the name of a file.
        """
        parent = self._place_of(folder)
        stem, suffix = _split(safe_part(name) or _STAND_IN)

        def numbered(number: int) -> str:
            return parent + _joined(stem, suffix, number)

        def is_taken(number: int) -> bool:
            mark = _mark(numbered(number))
            return mark in self._used or mark | _IS_FOLDER in self._used

        path = numbered(_first_free(is_taken))
        self._used.add(_mark(path))
        return path

    def _place_of(self, folder: str) -> str:
        """Return where the files of `folder` go: "" or a path that ends with "/"."""
        if folder in self._folders:
            self._folders.move_to_end(folder)
            return self._folders[folder]
        place = ""
        for raw in re.split(r"[/\\]", folder):
            if part := safe_part(raw):
                place = self._folder_in(place, part)
        self._folders[folder] = place
        if len(self._folders) > _REMEMBERED_FOLDERS:
            self._folders.popitem(last=False)
        return place

    def _folder_in(self, parent: str, part: str) -> str:
        """Return the path of the folder `part` in `parent`, and keep files from taking it."""

        def numbered(number: int) -> str:
            return parent + _joined(part, "", number)

        path = numbered(_first_free(lambda number: _mark(numbered(number)) in self._used))
        self._used.add(_mark(path) | _IS_FOLDER)
        return f"{path}/"


def _first_free(is_taken: Callable[[int], bool]) -> int:
    """Return a number from 1 on that is not taken: the first, where they go in order.

    Asks for 2 · log2(n) of them: 100,000 files of one name must not take 5 billion.
    """
    if not is_taken(1):
        return 1
    taken, free = 1, 2
    while is_taken(free):
        taken, free = free, free * 2
    while free - taken > 1:
        middle = (taken + free) // 2
        if is_taken(middle):
            taken = middle
        else:
            free = middle
    return free


def _split(part: str) -> tuple[str, str]:
    """Return a part's stem and its suffix with the dot; ".bashrc" has none."""
    stem, dot, suffix = part.rpartition(".")
    if not stem.strip(".") or len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        return part, ""
    return stem, dot + suffix


def _joined(stem: str, suffix: str, number: int = 1) -> str:
    """Return "stem (number).suffix", no longer than allowed; without the number for 1."""
    end = f" ({number}){suffix}" if number > 1 else suffix
    room = MAX_PART_BYTES - len(end.encode())
    # A character cut in two is left out.
    short = stem.encode()[:room].decode(errors="ignore")
    if not end:
        short = short.rstrip(". ")
    return short + end


def _key(path: str) -> str:
    """Return what is equal for paths that some system takes for the same.

    Windows and macOS compare without case, macOS also without form of normalisation.
    """
    if path.isascii():
        return path.lower()
    # By way of upper case too: Windows compares that, and casefold leaves "ı" alone.
    plain = unicodedata.normalize("NFD", _IGNORED.sub("", path))
    return unicodedata.normalize("NFD", plain.upper().casefold())


def _mark(path: str) -> int:
    """Return 8 bytes that stand for the file `path`; with _IS_FOLDER for the folder.

    Should two ever be equal, a file gets a number that it does not need.
    """
    digest = hashlib.blake2b(_key(path).encode(), digest_size=8).digest()
    return int.from_bytes(digest) & ~_IS_FOLDER or 2


class _Hashes:
    """A set of numbers of 8 bytes in an eighth of the memory of Python's own."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))  # 0: free
        self._count = 0

    def __contains__(self, value: int) -> bool:
        return self._slots[self._slot_of(value)] == value

    def add(self, value: int) -> None:
        slot = self._slot_of(value)
        if self._slots[slot]:
            return
        self._slots[slot] = value
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._grow()

    def _slot_of(self, value: int) -> int:
        """Return where `value` is, or would be."""
        slots, mask = self._slots, len(self._slots) - 1
        # Without the bit that says what it is.
        slot = (value >> 1) & mask
        while slots[slot] not in (0, value):
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        for value in old:
            if value:
                self._slots[self._slot_of(value)] = value
