"""Clears what nothing owns any more or nobody goes on with, and gives the disk space back.

Entry point: sweep. Small transactions, so that uploads go on meanwhile; safe to
kill at any point and to run twice at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from files.models import Content, File, Upload, first_rows
from files.models.upload import UploadQuerySet
from files.storage import empty_log, give_space_back, in_transaction, storage_of

PAGE = 500
# Uploads removed by one transaction, which waits for the disk once.
GROUP = 20
# After so long, what a killed sweep had begun with is taken by the next one.
CLAIM_TIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Expired:
    """Uploads whose time was over."""

    unfinished: int = 0
    bytes: int = 0  # that the unfinished ones had received
    finished: int = 0  # nobody will ask any more what became of them


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed; contents of expired uploads are among the contents."""

    contents: int
    bytes: int
    pages: int  # of the database's files, given back to the disk
    uploads: Expired = Expired()


def sweep(*, dry_run: bool = False) -> Swept:
    """Remove the uploads that expired and the contents that are abandoned past their time,
    and shrink the file.
    """
    uploads = _remove_expired(dry_run=dry_run)
    contents = removed = 0
    for content in _abandoned():
        if dry_run:
            contents, removed = contents + 1, removed + content.size
        elif _claim(content):
            removed += storage_of(content.home).remove(content)
            contents += 1
    return Swept(contents, removed, 0 if dry_run else _shrink(removed), uploads)


def _remove_expired(*, dry_run: bool) -> Expired:
    unfinished = received = finished = 0
    expired = _expired()
    while group := list(islice(expired, GROUP)):
        for upload in group if dry_run else _remove_group([upload.pk for upload in group]):
            if upload.is_receiving:
                unfinished, received = unfinished + 1, received + upload.offset
            else:
                finished += 1
    return Expired(unfinished, received, finished)


@in_transaction
def _remove_group(ids: Collection[str]) -> list[Upload]:
    """Remove those whose client did not come back meanwhile, which moves their time."""
    still = _expired_rows().filter(pk__in=ids).select_for_update().order_by("pk")
    found = list(still)
    Upload.objects.filter(pk__in=[upload.pk for upload in found]).discard()
    return found


def _expired_rows() -> UploadQuerySet:
    """Return the uploads that expired, with what a report needs."""
    return Upload.objects.expired().only("state", "offset", "expires_at")


def _expired() -> Iterator[Upload]:
    """Yield them in pages."""
    ordered = _expired_rows().order_by("expires_at", "pk")
    behind = Q()
    while page := list(first_rows(ordered.filter(behind), PAGE)):
        last = page[-1]
        behind = Q(expires_at__gt=last.expires_at) | Q(expires_at=last.expires_at, pk__gt=last.pk)
        yield from page


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
    owners = (File.everything, Upload.objects)
    owned = [Exists(rows.filter(content_id=OuterRef("pk"))) for rows in owners]
    still = Content.objects.filter(*(~one for one in owned), **same)
    claimed_until = timezone.now() + CLAIM_TIME
    return bool(still.update(state=Content.State.RELEASED, keep_until=claimed_until))


def _shrink(removed: int) -> int:
    """Give back what is free, `removed` bytes just now or more; the number of pages."""
    pages = 0
    while freed := give_space_back(removed):
        pages, removed = pages + freed, 0
    empty_log()
    return pages
