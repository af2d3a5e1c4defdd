"""Fills a library with made-up files, thousands a second, as if they had been uploaded.

Entry point: seed. What files.demo makes goes in by short transactions, each whole with
its rows, bytes, totals, labels and events; broken off at any moment, it can be begun
again and leaves out what is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from files.actors import Actor
from files.demo.library import LABELS, DemoFile, demo_file, upload_dates
from files.mime import sniff
from files.models import INLINE_SIZE, Content, Event, File, Label, Total
from files.permissions import require_write
from files.services import totals
from files.services.events import event_of
from files.services.labels import create_label
from files.storage import require_room, room, storage_of, told_in_words

# A transaction takes so many files and bytes at most: the lock is held for some 1 s.
BATCH_FILES = 10_000
BATCH_BYTES = 32 << 20
# Rows in one INSERT, hashes in one question.
ROWS = 500
# Memory for SQLite while it fills: each row touches a page of each of a dozen indexes, and
# pages that find no room there are written to the log again and again.
CACHE_KIB = 512 << 10
ATTEMPTS = 3
SAMPLE = 300  # files whose sizes are looked at for a forecast


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was added, and how many were there already."""

    added: int
    bytes: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Which library to make: the same plan makes the same bytes."""

    files: int
    seed: int
    size: str  # a key of files.demo.library.SIZES
    days: int  # over which the dates of upload are spread, until now


def seed(
    *,
    actor: Actor,
    space_id: int,
    plan: Plan,
    on_progress: Callable[[int], object] = lambda files: None,
) -> Seeded:
    """Add the plan's files to the space but those that are there, also in the trash.

    Memory: a batch and CACHE_KIB. Calls `on_progress` with the number of files of each
    batch. Raises StorageFullError with the batches before it committed.
    """
    require_write(actor, space_id)
    added = size = 0
    with _large_cache():
        labels = _labels(actor, space_id)
        for batch in _batches(plan):
            with told_in_words():
                new = _store(actor, space_id, batch, labels)
            added, size = added + len(new), size + sum(file.size for file in new)
            on_progress(len(batch))
    return Seeded(added, size, plan.files - added)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan comes to, in bytes, beside what is there."""

    bytes: int  # estimated
    present: int  # files
    room: int | None  # bytes; None where the database cannot tell


def forecast(*, space_id: int, plan: Plan) -> Forecast:
    """Return what `seed` would add at most, from a sample of SAMPLE files; some 20 ms."""
    sample = range(min(plan.files, SAMPLE))
    size = sum(len(demo_file(plan.seed, number, plan.size).data) for number in sample)
    groups = Total.objects.in_space(space_id).by_suffix()
    return Forecast(
        bytes=size * plan.files // len(sample),
        present=sum(group["count"] for group in groups),
        room=room(),
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """A made-up file, its hash and its date of upload."""

    demo: DemoFile
    hash: str
    upload_date: datetime


def drafts(plan: Plan) -> Iterator[Draft]:
    """Yield the plan's files in the order of their dates; nothing is stored."""
    for number, at in enumerate(upload_dates(plan.files, plan.days, timezone.now())):
        demo = demo_file(plan.seed, number, plan.size)
        yield Draft(demo, hashlib.sha256(demo.data).hexdigest(), at)


def _batches(plan: Plan) -> Iterator[list[Draft]]:
    batch: list[Draft] = []
    size = 0
    for draft in drafts(plan):
        batch.append(draft)
        size += len(draft.demo.data)
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _store(actor: Actor, space_id: int, batch: list[Draft], labels: dict[str, Label]) -> list[File]:
    """Store what is not there yet, and return it; one transaction."""
    require_room(2 * sum(len(draft.demo.data) for draft in batch))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _add(actor, space_id, batch, labels)
        except IntegrityError:
            # Another process added some of them between the question and the answer.
            if attempt == ATTEMPTS:
                raise
    return []


def _add(actor: Actor, space_id: int, batch: list[Draft], labels: dict[str, Label]) -> list[File]:
    known = _known(space_id, batch)
    new = [draft for draft in batch if draft.hash not in known]
    files = [_file(actor, space_id, draft) for draft in new]
    _insert(files)
    _count(space_id, files)
    _attach_labels(files, new, labels)
    Event.objects.bulk_create((_event(actor, file) for file in files), ROWS)
    return files


def _known(space_id: int, batch: list[Draft]) -> set[str]:
    known: set[str] = set()
    hashes = [draft.hash for draft in batch]
    for start in range(0, len(hashes), ROWS):
        found = File.everything.filter(space_id=space_id, hash__in=hashes[start : start + ROWS])
        known.update(found.values_list("hash", flat=True))
    return known


def _file(actor: Actor, space_id: int, draft: Draft) -> File:
    """Return the file, not saved; a long one's bytes are stored already."""
    demo = draft.demo
    content = None
    if len(demo.data) > INLINE_SIZE:
        writer = storage_of(Content.Home.DATABASE).open_writer()
        writer.append(demo.data)
        writer.flush()
        content = writer.content
    return File(
        space_id=space_id,
        name=demo.name,
        suffix=demo.suffix,
        folder=demo.folder,
        size=len(demo.data),
        upload_date=draft.upload_date,
        mime_type=_mime_type(demo.suffix),
        hash=draft.hash,
        owner_id=actor.user_id,
        content=content,
        data=None if content else demo.data,
    )


@cache
def _mime_type(suffix: str) -> str:
    """Return what `sniff` says of all files of the suffix; asking for each would take as
    long as all the rest.
    """
    samples = (demo_file(0, number, "small") for number in itertools.count())
    sample = next(demo for demo in samples if demo.suffix == suffix)
    return sniff(sample.data, sample.name)


def _insert(files: list[File]) -> None:
    """Write the rows, so that each file knows its id."""
    File.everything.bulk_create(files, ROWS)
    if not connection.features.can_return_rows_from_bulk_insert:  # MySQL does not tell the ids.
        for start in range(0, len(files), ROWS):
            part = {file.hash: file for file in files[start : start + ROWS]}
            found = File.everything.filter(space_id=files[start].space_id, hash__in=part)
            for hash, pk in found.values_list("hash", "pk"):
                part[hash].pk = pk


def _count(space_id: int, files: Iterable[File]) -> None:
    """Add them to the totals: an entry for each group and day among them."""
    counts: Counter[tuple[str, date]] = Counter()
    sizes: Counter[tuple[str, date]] = Counter()
    for file in files:
        key = (file.suffix, file.upload_date.date())
        counts[key] += 1
        sizes[key] += file.size
    for (suffix, day), count in counts.items():
        totals.add(
            space_id=space_id,
            suffix=suffix,
            day=day,
            home=Content.Home.DATABASE,
            count=count,
            size=sizes[suffix, day],
        )


def _labels(actor: Actor, space_id: int) -> dict[str, Label]:
    present = {label.name: label for label in Label.objects.in_space(space_id)}
    return {
        name: present.get(name)
        or create_label(actor=actor, space_id=space_id, name=name, color=color)
        for name, color in LABELS.items()
    }


def _attach_labels(files: list[File], new: list[Draft], labels: dict[str, Label]) -> None:
    through = File.labels.through
    through.objects.bulk_create(
        (
            through(file_id=file.pk, label_id=labels[name].pk)
            for file, draft in zip(files, new, strict=True)
            for name in draft.demo.labels
        ),
        ROWS,
    )


def _event(actor: Actor, file: File) -> Event:
    """Return the event of the upload, on its date."""
    event = event_of("file.uploaded", actor, file)
    event.created_at = file.upload_date
    return event


@contextlib.contextmanager
def _large_cache() -> Iterator[None]:
    """Let SQLite keep CACHE_KIB of pages in this thread's connection meanwhile."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA cache_size").fetchone()[0]
        cursor.execute(f"PRAGMA cache_size = {-CACHE_KIB:d}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA cache_size = {before:d}")
