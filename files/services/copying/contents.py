"""Copies the bytes of files and proves them; a file's row is written once its bytes are there.

Entry point: FileCopier. Short files come many in a transaction, long ones in batches of chunks
that nobody sees; with what a run that was killed left of one, the next goes on. Everything is
read back from the target and hashed. Memory: SHORT_BATCH_BYTES, or READ_ROWS chunks.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from files.exceptions import CorruptContentError, gettext_noop
from files.models import Content, File
from files.services.copying.rows import Refused, RowCopier, insert_rows, pages
from files.services.copying.source_bytes import (
    READ_ROWS,
    DamagedError,
    Incoming,
    SourceBytes,
    bytes_in_rows,
)
from files.storage.chunk_rows import (
    ChunkRow,
    add_chunks,
    chunks_from,
    chunks_of,
    end_of_chunks,
    remove_chunks,
)

# Chunks of 1 MiB that one transaction takes.
BATCH_ROWS = 8
# Bytes; longer files are copied one by one.
SHORT_SIZE = 1 << 20
SHORT_BATCH_BYTES = 4 << 20
SHORT_BATCH_FILES = 250
# So long may a copy lie about unfinished: a sweep leaves it alone.
KEPT = timedelta(days=365)

Told = Callable[[int, str, str], object]


class FileCopier(RowCopier):
    """Files, whose rows are written after their bytes.

    `on_damaged` and `on_repaired` are told a file's id and name, and a part of a sentence;
    `before` is called before anything is written, and may raise.
    """

    def __init__(
        self,
        source: str,
        target: str,
        *,
        on_refused: Refused,
        on_bytes: Callable[[int], object],
        on_damaged: Told,
        on_repaired: Told,
        before: Callable[[], object],
    ) -> None:
        super().__init__(File, source, target, on_refused=on_refused)
        self.on_bytes = on_bytes
        self.on_damaged = on_damaged
        self.on_repaired = on_repaired
        self.before = before
        self.damaged: set[int] = set()  # ids of files that were left out
        self.copied = self.copied_bytes = 0
        self._is_first_round = True
        self._bytes = SourceBytes(source)
        self._places = [self.names.index(name) for name in Incoming.__slots__[1:]]
        self._all_fields = [*self.fields, File._meta.get_field("data")]

    def copy(self) -> int:
        """Bring what is missing or changed to the target; return how many rows that were."""
        written = 0
        for missing, changed, same in self.differing():
            if self._is_first_round:
                self.on_bytes(sum(file.size for file in map(self._incoming, (*changed, *same))))
            written += self.update(self.rooted(changed))
            files = [self._incoming(row) for row in self.rooted(missing)]
            before = self.copied
            self._take([file for file in files if file.id not in self.damaged])
            written += self.copied - before
        self._is_first_round = False
        return written

    def missing(self) -> tuple[int, int]:
        """Return how many files, and bytes, are to be copied."""
        count = size = 0
        for missing, _, _ in self.differing():
            count += len(missing)
            size += sum(file.size for file in map(self._incoming, missing))
        return count, size

    def remove_gone_contents(self) -> int:
        """Remove the target's contents that no file of the source has; return how many."""
        removed = 0
        contents = Content.objects.using(self.target).order_by("pk").values_list("pk")
        for page in pages(contents):
            ids = {pk for (pk,) in page}
            for alias in (self.source, self.target):
                owned = File.everything.using(alias).filter(content_id__in=ids)
                ids -= set(owned.values_list("content_id", flat=True))
            for pk in ids:
                self._drop(pk)
            removed += len(ids)
        return removed

    def _incoming(self, row: tuple[Any, ...]) -> Incoming:
        return Incoming(row, *(row[place] for place in self._places))

    def _take(self, files: list[Incoming]) -> None:
        """Copy each file, the short ones first and together."""
        ids = [file.content_id for file in files if file.content_id is not None]
        contents = Content.objects.using(self.target).filter(pk__in=ids)
        begun = set(contents.values_list("pk", flat=True))
        lots: dict[bool, list[Incoming]] = {True: [], False: []}
        for file in files:
            lots[file.size > SHORT_SIZE or file.content_id in begun].append(file)
        batch: list[Incoming] = []
        size = 0
        for file in lots[False]:
            if size + file.size > SHORT_BATCH_BYTES or len(batch) == SHORT_BATCH_FILES:
                self._take_short(batch)
                batch, size = [], 0
            batch.append(file)
            size += file.size
        self._take_short(batch)
        for file in lots[True]:
            self._take_long(file)

    # Short files

    def _take_short(self, batch: list[Incoming]) -> None:
        """Copy files in one transaction, or, where that is refused, in one each."""
        self.before()
        found = self._bytes.short(batch, self._leave_out)
        whole = [file for file in batch if file.id in found]
        if not whole:
            return
        try:
            with transaction.atomic(using=self.target):
                self._write_short(whole, found)
        except (IntegrityError, DataError) as error:
            if len(whole) == 1:
                self._refuse(whole[0], error)
                return
            for file in whole:
                self._take([file])
        else:
            self._count(whole)
            self.on_bytes(sum(file.size for file in whole))

    def _write_short(self, files: list[Incoming], found: dict[int, list[ChunkRow]]) -> None:
        """Write the files with their contents, and read them back before that is committed."""
        chunked = [file for file in files if file.content_id is not None]
        self._insert_contents(chunked, state=Content.State.STORED, keep_until=None)
        for file in chunked:
            add_chunks(file.content, found[file.id], using=self.target)
        inline = {file.id: found[file.id][0].data for file in files if file.content_id is None}
        rows = [(*file.row, inline.get(file.id)) for file in files]
        insert_rows(self.target, File, self._all_fields, rows)
        in_rows = bytes_in_rows(self.target, files)
        in_chunks = chunks_of((file.content for file in chunked), using=self.target)
        for file in files:
            hasher = hashlib.sha256(in_rows.get(file.id, b""))
            for row in in_chunks.get(file.content_id, []) if file.content_id is not None else ():
                hasher.update(row.data)
            if hasher.hexdigest() != file.hash:
                raise _unfit(file)

    # Long files

    def _take_long(self, file: Incoming) -> None:
        """Bring a file's chunks, from where an earlier run ended, prove them, and write its row."""
        self.before()
        try:
            self._bring(file)
            if not self._is_proven(file):
                # Which of the two is wrong?
                self._bytes.require_hash(file)
                text = "its unfinished copy was damaged, and is made anew"
                self.on_repaired(file.id, file.name, text)
                self._drop(file.content)
                self._bring(file)
                if not self._is_proven(file):
                    raise _unfit(file)
            with transaction.atomic(using=self.target):
                insert_rows(self.target, File, self._all_fields, [(*file.row, None)])
                mine = Content.objects.using(self.target).filter(pk=file.content)
                mine.update(state=Content.State.STORED, keep_until=None)
        except DamagedError as error:
            self._leave_out(file, str(error))
        except (IntegrityError, DataError) as error:
            self._refuse(file, error)
        else:
            self._count([file])

    def _bring(self, file: Incoming) -> None:
        """Bring the chunks that the target has not got; raises DamagedError."""
        if not Content.objects.using(self.target).filter(pk=file.content).exists():
            until = timezone.now() + KEPT
            self._insert_contents([file], state=Content.State.RECEIVING, keep_until=until)
        position = end_of_chunks(file.content, using=self.target)
        if position is None or position > file.size:
            remove_chunks(file.content, using=self.target)
            position = 0
        self.on_bytes(position)
        parts = self._bytes.read(file, position)
        while position < file.size:
            with transaction.atomic(using=self.target):
                for _ in range(BATCH_ROWS // READ_ROWS):
                    rows = next(parts, [])
                    add_chunks(file.content, rows, using=self.target)
                    size = sum(row.size for row in rows)
                    self.on_bytes(size)
                    position += size

    def _is_proven(self, file: Incoming) -> bool:
        """Tell whether the target has the file's bytes; reads all of them."""
        hasher, position = hashlib.sha256(), 0
        while rows := chunks_from(file.content, position, READ_ROWS, using=self.target):
            for row in rows:
                # Its checksum is what later readers go by.
                if row.offset != position or zlib.crc32(row.data) != row.checksum:
                    return False
                hasher.update(row.data)
                position += len(row.data)
        return hasher.hexdigest() == file.hash

    # Both

    def _insert_contents(self, files: Iterable[Incoming], **changes: Any) -> None:
        """Insert the contents' rows as the source has them, with some values changed."""
        fields = Content._meta.concrete_fields
        names = [field.attname for field in fields]
        contents = Content.objects.using(self.source)
        found = contents.filter(pk__in=[file.content for file in files]).values(*names)
        rows = [tuple((content | changes)[name] for name in names) for content in found]
        insert_rows(self.target, Content, fields, rows)

    def _drop(self, content_id: int) -> None:
        """Remove a content that no file of the target has."""
        if File.everything.using(self.target).filter(content_id=content_id).exists():
            return
        remove_chunks(content_id, using=self.target)
        Content.objects.using(self.target).filter(pk=content_id).delete()

    def _leave_out(self, file: Incoming, text: str) -> None:
        if file.content_id is not None:
            self._drop(file.content_id)
        same = {"pk": file.id, "hash": file.hash, "content_id": file.content_id}
        # Else it was deleted, or got other bytes, while it was read.
        if File.everything.using(self.source).filter(**same).exists():
            self.damaged.add(file.id)
            self.on_damaged(file.id, file.name, text)

    def _refuse(self, file: Incoming, error: Exception) -> None:
        self.on_refused(File, file.id, " ".join(str(error).split()))

    def _count(self, files: list[Incoming]) -> None:
        self.copied += len(files)
        self.copied_bytes += sum(file.size for file in files)


def _unfit(file: Incoming) -> CorruptContentError:
    return CorruptContentError(
        gettext_noop(
            "The target gives back other bytes of file %(id)s than were written to it: its disk "
            "or memory may be failing."
        ),
        id=file.id,
    )
