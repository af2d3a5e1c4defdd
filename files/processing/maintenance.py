"""Clears what nothing owns any more, and gives the disk space back.

Entry point: sweep. Small transactions, so that uploads go on meanwhile; safe to
kill at any point and to run twice at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from files.models import Content, File
from files.storage import empty_log, give_space_back, storage_of

PAGE = 500
# After so long, what a killed sweep had begun with is taken by the next one.
CLAIM_TIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    contents: int
    bytes: int
    pages: int  # of the database's files, given back to the disk


def sweep(*, dry_run: bool = False) -> Swept:
    """Remove the contents that are abandoned past their time, and shrink the file."""
    contents = removed = 0
    for content in _abandoned():
        if dry_run:
            contents, removed = contents + 1, removed + content.size
        elif _claim(content):
            removed += storage_of(content.home).remove(content)
            contents += 1
    return Swept(contents, removed, 0 if dry_run else _shrink(removed))


def _abandoned() -> Iterator[Content]:
    """Yield them in pages: with a query left open, SQLite lets its connection not write."""
    last = 0
    while page := list(Content.objects.abandoned().filter(pk__gt=last).order_by("pk")[:PAGE]):
        last = page[-1].pk
        yield from page


def _claim(content: Content) -> bool:
    """Take the content for removal unless its upload or a reader woke up meanwhile.

    Or another sweep took it: each server has one, and all find the same at the same time.
    """
    # Conditions of the row itself: what a join brings, PostgreSQL does not look at again after
    # it has waited for another's change of the row.
    same = {"pk": content.pk, "state": content.state, "keep_until": content.keep_until}
    owned = File.everything.filter(content_id=OuterRef("pk"))
    still = Content.objects.filter(~Exists(owned), **same)
    claimed_until = timezone.now() + CLAIM_TIME
    return bool(still.update(state=Content.State.RELEASED, keep_until=claimed_until))


def _shrink(removed: int) -> int:
    """Give back what is free, `removed` bytes just now or more; the number of pages."""
    pages = 0
    while freed := give_space_back(removed):
        pages, removed = pages + freed, 0
    empty_log()
    return pages
