"""Sends any set of files as one ZIP archive, in constant memory.

Entry point: archive_of. The files are gone through twice: `plan` decides names and length
before a byte is sent, iterating sends. Limits: MAX_MEMBERS, and room for temporary files.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping

from files import storage
from files.exceptions import (
    CorruptContentError,
    InvalidFilterError,
    Phrase,
    StorageFullError,
    gettext_noop,
)
from files.member_names import MemberNames
from files.models import MAX_CHUNK_SIZE, Content, File, FileQuerySet
from files.services.archive_plan import Entry, Plan
from files.zip_stream import Member, ZipLength, ZipWriter

logger = logging.getLogger(__name__)

# The first byte can be sent when all are planned: for a million that took 31 s of CPU, 57 to
# 80 s on a busy machine, and 420 MB of temporary files for notes of 360 bytes. Many clients
# and proxies wait for 60 s.
MAX_MEMBERS = 500_000
# Rows of one query while planning; with their bytes, where those are in the rows.
PAGE = 1000
# Entries whose contents are looked up by one query while sending, and their bytes by one
# more: of those up to SHORT bytes each, BATCH_BYTES in all.
BATCH = 100
SHORT = 128 << 10
BATCH_BYTES = 1 << 20
# Bytes sent at a time.
BLOCK = 128 << 10
# What temporary files must leave on their disk.
SPARE_DISK_BYTES = 64 << 20


class Archive:
    """A ZIP archive of `files`: `plan` it, iterate over its bytes once, `close` it.

    Breaks off with an exception where a file turns out to be damaged, so that nothing
    ends as if it were whole. `count` and `length` (bytes, exact) are known once planned.
    """

    def __init__(self, files: FileQuerySet) -> None:
        self.count = self.length = 0
        self._files = files
        self._plan = Plan()
        self._writer = ZipWriter()
        self._blocks = in_blocks(self._pieces(), BLOCK)
        self._place = 0  # in the plan, of the entry being sent
        self._keep_at = 0.0  # monotonic seconds

    def plan(self) -> None:
        """Give each file its name, and add up `count` and `length`.

        Two queries for 1,000 files. Raises CorruptContentError for a damaged small file,
        InvalidFilterError above MAX_MEMBERS, StorageFullError where the plan has no room.
        """
        self._keep_at = _next_keeping()
        names, length = MemberNames(), ZipLength()
        for page in _pages(self._files):
            for file in page:
                entry = _entry_of(file, names)
                self._plan.add(entry)
                length.add(entry.member)
            self.count += len(page)
            _require_few(self.count)
            _require_room(length.directory)
        self.length = length.total

    def __iter__(self) -> Iterator[bytes]:
        """Yield the archive in blocks of 128 KB; once, and after `plan`."""
        for block in self._blocks:
            yield block
            if time.monotonic() > self._keep_at:
                self._plan.keep_contents(self._place)
                self._keep_at = _next_keeping()

    def close(self) -> None:
        """Let go of the storage and of the temporary files."""
        self._blocks.close()
        self._plan.close()
        self._writer.close()

    def _pieces(self) -> Iterator[bytes]:
        for batch in _batches(self._plan):
            ids = {entry.content_id for _, entry in batch if entry.content_id}
            contents = Content.objects.in_bulk(ids)
            short = storage.read_short(
                content for content in contents.values() if content.size <= SHORT
            )
            for place, entry in batch:
                self._place = place
                try:
                    yield from self._member(entry, contents, short)
                except Exception as error:
                    # The traceback is logged by whoever catches it; here the file is known.
                    logger.error("An archive broke off at file %s: %r", entry.file_id, error)
                    raise
        yield from self._writer.finish()

    def _member(
        self, entry: Entry, contents: Mapping[int, Content], short: Mapping[int, bytes]
    ) -> Iterator[bytes]:
        """Yield one file and its header; raises CorruptContentError unless it is whole."""
        size = entry.member.size
        data = entry.data if entry.content_id is None else short.get(entry.content_id)
        if data is None:
            content = contents.get(entry.content_id or 0)
            if content is None or content.size != size:
                raise _damaged(entry)
            # The row may be gone by now, or have other bytes.
            file = File(pk=entry.file_id, size=size, content=content)
            if size > MAX_CHUNK_SIZE:
                yield from self._long_member(entry, file)
                return
            data = b"".join(storage.read(file, 0, size))
        if len(data) != size:
            raise _damaged(entry)
        yield self._writer.begin(entry.member, zlib.crc32(data))
        yield data

    def _long_member(self, entry: Entry, file: File) -> Iterator[bytes]:
        expected, crc = storage.crc32(file), 0
        yield self._writer.begin(entry.member, expected)
        for block in storage.read(file, 0, file.size):
            crc = zlib.crc32(block, crc)
            yield block
        if crc != expected:
            raise _damaged(entry)


def archive_of(files: FileQuerySet) -> Archive:
    """Return an archive of the files, in the order of their upload; nothing is read yet."""
    return Archive(files)


def in_blocks(pieces: Iterable[bytes], size: int) -> Generator[bytes]:
    """Yield what the pieces hold in blocks of `size` bytes, the last one shorter."""
    rest = bytearray()
    for piece in pieces:
        # Most of a long piece is handed on as it is, short pieces are gathered.
        begin = 0
        if rest or len(piece) < size:
            begin = size - len(rest)
            rest += piece[:begin]
            if len(rest) < size:
                continue
            yield bytes(rest)
            rest.clear()
        end = begin + (len(piece) - begin) // size * size
        for start in range(begin, end, size):
            yield piece[start : start + size]
        rest += piece[end:]
    if rest:
        yield bytes(rest)


def _pages(files: FileQuerySet) -> Iterator[list[File]]:
    # As their orders have indexes for each filter, which that by id has not.
    planned = files.defer(None).only(
        "name", "folder", "size", "upload_date", "hash", "content", "data"
    )
    page = planned.page("upload_date", PAGE)
    while page:
        yield page
        page = planned.page("upload_date", PAGE, after=page[-1]) if len(page) == PAGE else []


def _batches(plan: Plan) -> Iterator[list[tuple[int, Entry]]]:
    """Yield the entries in order, each with its place, as many as are sent with few queries."""
    batch: list[tuple[int, Entry]] = []
    size = 0
    for place, entry in plan.entries():
        batch.append((place, entry))
        size += entry.member.size if entry.member.size <= SHORT else 0
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _entry_of(file: File, names: MemberNames) -> Entry:
    member = Member(
        name=names.path_of(file.folder, file.name),
        size=file.size,
        modified=int(file.upload_date.timestamp()),
    )
    if file.content_id:
        return Entry(file.pk, file.content_id, member, b"")
    entry = Entry(file.pk, None, member, b"".join(storage.read(file, 0, file.size)))
    if len(entry.data) != file.size:
        raise _damaged(entry)
    return entry


def _require_few(count: int) -> None:
    if count > MAX_MEMBERS:
        too_many = Phrase(
            gettext_noop("An archive takes %(limit)s files at most; choose fewer."),
            limit=f"{MAX_MEMBERS:,}",
        )
        raise InvalidFilterError({"files": too_many})


def _require_room(directory_size: int) -> None:
    """Raise unless temporary files can take the central directory beside the plan."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < directory_size + SPARE_DISK_BYTES:
        raise StorageFullError(
            gettext_noop("There is no room left for the temporary files of an archive.")
        )


def _next_keeping() -> float:
    return time.monotonic() + Content.GRACE_TIME.total_seconds() / 3


def _damaged(entry: Entry) -> CorruptContentError:
    return CorruptContentError(
        gettext_noop("The bytes of file %(id)s are not those that were uploaded."),
        id=entry.file_id,
    )
