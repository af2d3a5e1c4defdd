"""Reads every byte of files again and finds what is not as it was uploaded.

Entry points: verify_files and unowned_contents. Nothing is changed and no query stays
open, so uploads go on meanwhile. Memory: a few chunks a worker, whatever the number of files.
"""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.db import DatabaseError, connection
from django.db.models import Count, QuerySet, Sum

from files.models import Content, File
from files.storage import Damage, require_damage, storage_of

PAGE = 2000
# What a worker takes at a time: as many files or as many bytes.
UNIT_FILES = 400
UNIT_BYTES = 8 << 20

Progress = Callable[[int], object]


class Fault(StrEnum):
    """What can be wrong; those of chunks are the kinds of Damage."""

    CHECKSUM = Damage.Kind.CHECKSUM
    UNREADABLE = Damage.Kind.UNREADABLE
    MISSING = Damage.Kind.MISSING
    OVERLAP = Damage.Kind.OVERLAP
    SURPLUS = Damage.Kind.SURPLUS
    ROW = "row"  # bytes in the file's own row are others
    HASH = "hash"  # every chunk is whole, all together are another file
    SIZE = "size"  # the row tells another size than there are bytes
    STATE = "state"  # a file's content may be swept
    NO_CONTENT = "no_content"
    UNOWNED = "unowned"  # a content that is kept for no file


# Each is told with the numbers of its Problem; "start" to "stop" are bytes.
_SENTENCES = {
    Fault.CHECKSUM: "bytes %(start)s to %(stop)s of content %(content_id)s are damaged",
    Fault.UNREADABLE: "bytes %(start)s to %(stop)s of content %(content_id)s cannot be read",
    Fault.MISSING: "bytes %(start)s to %(stop)s of content %(content_id)s are missing",
    Fault.OVERLAP: "bytes %(start)s to %(stop)s of content %(content_id)s are there twice",
    Fault.SURPLUS: "content %(content_id)s has bytes %(start)s to %(stop)s behind its end",
    Fault.ROW: "the bytes in its row are damaged",
    Fault.HASH: "the bytes of content %(content_id)s are those of another file",
    Fault.SIZE: "its row says %(expected)s bytes, %(found)s are there",
    Fault.STATE: "content %(content_id)s is in state %(found)s and may be swept",
    Fault.NO_CONTENT: "its bytes are nowhere",
    Fault.UNOWNED: "content %(content_id)s is kept for no file",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file or a content."""

    fault: Fault
    content_id: int | None = None
    start: int | None = None  # byte of the content
    stop: int | None = None  # exclusive
    expected: int | None = None
    found: int | str | None = None

    def __str__(self) -> str:
        numbers = {name: getattr(self, name) for name in self.__slots__}
        return _SENTENCES[self.fault] % {
            name: f"{value:,}" if isinstance(value, int) and name != "content_id" else value
            for name, value in numbers.items()
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """What came out for one file."""

    file_id: int
    name: str
    size: int  # bytes, as its row tells
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files to verify, of all there are, in the trash or not."""

    ids: frozenset[int] = frozenset()  # empty: any
    since: datetime | None = None  # uploaded from then on
    # A chance selection of what is left: so many files, or so many of a hundred.
    sample: int | None = None
    percent: float | None = None
    rng: random.Random = field(default_factory=random.Random, compare=False)  # noqa: S311

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is left out."""
        return not (self.ids or self.since or self.sample is not None or self.percent is not None)

    def unknown_ids(self) -> list[int]:
        """Return which of the ids no file has, in order."""
        found = File.everything.filter(pk__in=self.ids).values_list("pk", flat=True)
        return sorted(self.ids - set(found)) if self.ids else []

    def files(self) -> QuerySet[File]:
        """Return the files before the sample is drawn."""
        files = File.everything.all()
        if self.ids:
            files = files.filter(pk__in=self.ids)
        return files if self.since is None else files.filter(upload_date__gte=self.since)

    def count(self) -> tuple[int, int]:
        """Return how many files and about how many bytes it comes to; one scan."""
        found = self.files().aggregate(files=Count("pk"), bytes=Sum("size"))
        files, size = found["files"], found["bytes"] or 0
        wanted = self._wanted(files)
        return wanted, size * wanted // max(files, 1)

    def rows(self) -> Iterator[tuple[int, int]]:
        """Yield id and size of each file, by id, in pages.

        A sample is drawn while they pass. Source: Knuth, TAOCP 2, 3.4.2, algorithm S.
        """
        if self.sample is None and self.percent is None:
            yield from self._pages()
            return
        left = self.files().count()
        wanted = self._wanted(left)
        for row in self._pages():
            if wanted <= 0:
                return
            if self.rng.random() * left < wanted:
                wanted -= 1
                yield row
            left -= 1

    def _wanted(self, files: int) -> int:
        if self.percent is not None:
            return min(-int(-files * self.percent // 100), files)
        return files if self.sample is None else min(self.sample, files)

    def _pages(self) -> Iterator[tuple[int, int]]:
        rows = self.files().order_by("pk").values_list("pk", "size")
        last = 0
        while page := list(rows.filter(pk__gt=last)[:PAGE]):
            last = page[-1][0]
            yield from page


def verify_files(
    selection: Selection, *, workers: int = 1, on_progress: Progress = lambda size: None
) -> Generator[Verified, None, None]:
    """Yield what came out for each file, by id; what is deleted meanwhile is left out.

    `on_progress` gets numbers of bytes as they are read, from any worker's thread.
    Raises DatabaseError where the database itself is away or damaged beyond its chunks.
    """
    check = partial(_verify_unit, on_progress=on_progress)
    units = _units(selection.rows())
    if workers == 1:
        for unit in units:
            yield from check(unit)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="verify") as pool:
        under_way: deque[Future[list[Verified]]] = deque()
        try:
            for unit in units:
                under_way.append(pool.submit(_in_thread, check, unit))
                if len(under_way) > 2 * workers:
                    yield from under_way.popleft().result()
            while under_way:
                yield from under_way.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def unowned_contents() -> Iterator[Problem]:
    """Yield the contents that are kept though no file owns them; `sweep` leaves them alone."""
    unowned = Content.objects.filter(state=Content.State.STORED, files__isnull=True)
    last = 0
    while page := list(unowned.filter(pk__gt=last).order_by("pk")[:PAGE]):
        last = page[-1].pk
        yield from (
            Problem(Fault.UNOWNED, content.pk, start=0, stop=content.size) for content in page
        )


def _units(rows: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield the files' ids in lots of about equal work."""
    unit: list[int] = []
    size = 0
    for pk, length in rows:
        unit.append(pk)
        size += length
        if len(unit) == UNIT_FILES or size >= UNIT_BYTES:
            yield unit
            unit, size = [], 0
    if unit:
        yield unit


def _in_thread(check: Callable[[list[int]], list[Verified]], unit: list[int]) -> list[Verified]:
    try:
        return check(unit)
    finally:
        connection.close()


def _verify_unit(ids: list[int], on_progress: Progress) -> list[Verified]:
    try:
        unit = list(_readable().filter(pk__in=ids).order_by("pk"))
    except DatabaseError as error:
        require_damage(error)
        return [one for pk in ids for one in _verify_row(pk, on_progress)]
    return [verified for file in unit if (verified := verify_file(file, on_progress))]


def _readable() -> QuerySet[File]:
    """Return all files with what `verify_file` looks at; dates take longer than the rest."""
    columns = ("size", "home", "key", "state")
    files = File.everything.select_related("content")
    return files.only("name", "size", "hash", "data", *(f"content__{name}" for name in columns))


def _verify_row(pk: int, on_progress: Progress) -> Iterator[Verified]:
    """Yield what comes out for a file whose row, perhaps, the database cannot read."""
    try:
        file = _readable().filter(pk=pk).first()
    except DatabaseError as error:
        require_damage(error)
        yield Verified(pk, "", 0, (Problem(Fault.ROW),))
        return
    if file is not None and (verified := verify_file(file, on_progress)):
        yield verified


def verify_file(file: File, on_progress: Progress = lambda size: None) -> Verified | None:
    """Return what came out for one file, None if it was deleted meanwhile."""
    if file.content_id is None:
        problems = tuple(_problems_in_row(file))
        on_progress(file.size)
    else:
        problems = tuple(_problems_in_content(file, on_progress))
    if problems and not _is_still_there(file):
        return None
    return Verified(file.pk, file.name, file.size, problems)


def _is_still_there(file: File) -> bool:
    """Tell whether the row still owns the bytes that were read."""
    owned = File.everything.filter(pk=file.pk).values_list("content_id", flat=True)
    return list(owned) == [file.content_id]


def _problems_in_row(file: File) -> Iterator[Problem]:
    if file.data is None:
        yield Problem(Fault.NO_CONTENT)
        return
    if len(file.data) != file.size:
        yield Problem(Fault.SIZE, expected=file.size, found=len(file.data))
    if hashlib.sha256(file.data).hexdigest() != file.hash:
        yield Problem(Fault.ROW)


def _problems_in_content(file: File, on_progress: Progress) -> Iterator[Problem]:
    content = file.content
    if content is None or content.home not in Content.Home.values:
        yield Problem(Fault.NO_CONTENT, file.content_id)
        return
    if content.state != Content.State.STORED:
        yield Problem(Fault.STATE, content.pk, found=content.state)
    hasher, size, is_whole = hashlib.sha256(), 0, True
    for part in storage_of(content.home).inspect(content):
        if isinstance(part, Damage):
            is_whole = False
            yield Problem(Fault(part.kind), content.pk, part.start, part.stop)
            on_progress(part.stop - part.start)
        else:
            hasher.update(part)
            size += len(part)
            on_progress(len(part))
    if is_whole and size != file.size:
        yield Problem(Fault.SIZE, content.pk, expected=file.size, found=size)
    if is_whole and hasher.hexdigest() != file.hash:
        yield Problem(Fault.HASH, content.pk)
