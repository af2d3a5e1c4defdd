"""Finds the storage of a home, and reads a file wherever its bytes are."""

from __future__ import annotations

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from files.exceptions import CorruptContentError, gettext_noop
from files.models import Content, File
from files.storage.base import ContentStorage
from files.storage.chunk_storage import DatabaseStorage

_STORAGES: dict[str, ContentStorage] = {Content.Home.DATABASE: DatabaseStorage()}


def storage_of(home: str) -> ContentStorage:
    """Return the storage that keeps the contents of `home`."""
    return _STORAGES[home]


def read(file: File, start: int, stop: int) -> Iterator[bytes]:
    """Yield bytes `start` to `stop` (exclusive) of the file, at most 1 MiB at a time.

    Nothing is read before the first block is asked for. Raises CorruptContentError
    where what is stored is not what was uploaded.
    """
    content = file.content
    if content is None:
        data = bytes(file.data or b"")
        if hashlib.sha256(data).hexdigest() != file.hash:
            raise CorruptContentError(
                gettext_noop("The bytes in the row of file %(id)s are damaged."), id=file.pk
            )
        yield data[start:stop]
    else:
        yield from storage_of(content.home).read(content, start, stop)


def read_short(contents: Iterable[Content]) -> dict[int, bytes]:
    """Return the bytes of contents by id, with few queries; all are in memory.

    Those that are damaged are left out, others may be: `read` them one by one.
    """
    by_home: defaultdict[str, list[Content]] = defaultdict(list)
    for content in contents:
        by_home[content.home].append(content)
    found: dict[int, bytes] = {}
    for home, its_contents in by_home.items():
        found |= storage_of(home).read_short(its_contents)
    return found


def crc32(file: File) -> int:
    """Return the CRC-32 of the file's bytes; longer ones are not read, if their home can.

    Raises CorruptContentError where what is stored cannot be the file.
    """
    if file.content is None:
        return zlib.crc32(b"".join(read(file, 0, file.size)))
    return storage_of(file.content.home).crc32(file.content)


def verify(file: File) -> None:
    """Read all of the file; raises CorruptContentError unless it is what was uploaded.

    Costs a read of every byte; memory as `read`.
    """
    hasher = hashlib.sha256()
    for block in read(file, 0, file.size):
        hasher.update(block)
    if hasher.hexdigest() != file.hash:
        raise CorruptContentError(
            gettext_noop("The bytes of file %(id)s are not those that were uploaded."), id=file.pk
        )
