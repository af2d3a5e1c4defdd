"""Clears what nothing owns any more, and gives the disk space back.

Entry point: sweep. Small transactions, so that uploads go on meanwhile; safe to
kill at any point and to run twice at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from files.models import Content
from files.storage import empty_log, give_space_back, storage_of

PAGE = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    contents: int
    bytes: int
    pages: int  # of the database's file, given back to the disk


def sweep(*, dry_run: bool = False) -> Swept:
    """Remove the contents that are abandoned past their time, and shrink the file."""
    contents = removed = 0
    for content in _abandoned():
        if dry_run:
            contents, removed = contents + 1, removed + content.size
        elif _claim(content):
            removed += storage_of(content.home).remove(content)
            contents += 1
    return Swept(contents, removed, 0 if dry_run else _shrink())


def _abandoned() -> Iterator[Content]:
    """Yield them in pages: with a query left open, SQLite lets its connection not write."""
    last = 0
    while page := list(Content.objects.abandoned().filter(pk__gt=last).order_by("pk")[:PAGE]):
        last = page[-1].pk
        yield from page


def _claim(content: Content) -> bool:
    """Take the content for removal unless its upload or a reader woke up meanwhile."""
    still = Content.objects.abandoned().filter(pk=content.pk, keep_until=content.keep_until)
    return bool(still.update(state=Content.State.RELEASED))


def _shrink() -> int:
    pages = 0
    while freed := give_space_back():
        pages += freed
    empty_log()
    return pages
