"""Figures of a library as a whole, from what is counted as it happens.

Entry point: library_statistics. A handful of short queries whatever the number of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Min, Sum
from django.utils import timezone

from files.models import Content, File, Total, Upload, first_rows
from files.storage import room

LARGEST = 10


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of files, or of what is no file yet, and their bytes."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TypeTotal(Amount):
    """The files of one suffix; "" is the group of those without."""

    suffix: str


@dataclass(frozen=True, slots=True)
class DayTotal(Amount):
    """How much a library grew on a day (UTC), net; and the duplicates refused on it."""

    day: date
    duplicates: int


@dataclass(frozen=True, slots=True)
class HomeTotal(Amount):
    """What is kept in one home, in the trash or not."""

    home: str


@dataclass(frozen=True, slots=True)
class UnfinishedUploads(Amount):
    """Uploads that can be gone on with, and the bytes of them that are here."""

    to_come: int  # bytes, of those that told their size
    oldest: datetime | None  # when that one got its last bytes; None where there is no upload


@dataclass(frozen=True, slots=True)
class LibraryStatistics:
    """What there is to tell of a library."""

    files: Amount  # without the trash
    types: list[TypeTotal]  # by suffix
    days: list[DayTotal]  # without gaps, the last one is today
    homes: list[HomeTotal]
    trash: Amount
    # In all spaces: uploads that can be gone on with, and others under way or broken off.
    uploads: UnfinishedUploads
    receiving: Amount
    duplicates_refused: int
    largest: list[File]  # LARGEST at most
    free_bytes: int | None  # None where the database is elsewhere


def library_statistics(*, space_id: int, days: int = 30) -> LibraryStatistics:
    """Return the figures of a space, the growth of the last `days` days among them."""
    totals = Total.objects.in_space(space_id)
    types = [TypeTotal(**row) for row in totals.by_suffix()]
    homes = [HomeTotal(**row) for row in totals.by_home()]
    files, kept = _sum(types), _sum(homes)
    largest = File.objects.in_space(space_id).order_by("-size", "-upload_date", "-id")
    return LibraryStatistics(
        files=files,
        types=types,
        days=_days(space_id, days),
        homes=homes,
        # What is kept and not listed.
        trash=Amount(kept.count - files.count, kept.bytes - files.bytes),
        uploads=unfinished_uploads(),
        receiving=_receiving(),
        duplicates_refused=totals.duplicates(),
        largest=list(first_rows(largest, LARGEST)),
        free_bytes=room(),
    )


def _sum(amounts: list[TypeTotal] | list[HomeTotal]) -> Amount:
    return Amount(sum(one.count for one in amounts), sum(one.bytes for one in amounts))


def _days(space_id: int, count: int) -> list[DayTotal]:
    today = timezone.now().date()
    first = today - timedelta(days=count - 1)
    rows = {row["day"]: row for row in Total.objects.in_space(space_id).by_day(first)}
    dates = (first + timedelta(days=number) for number in range(count))
    nothing = {"count": 0, "bytes": 0, "duplicates": 0}
    return [DayTotal(**(nothing | {"day": day} | rows.get(day, {}))) for day in dates]


def unfinished_uploads() -> UnfinishedUploads:
    """Return how much of uploads that are not finished is here; reads their part of an index."""
    found = Upload.objects.unfinished().aggregate(
        count=Count("pk"),
        bytes=Sum("offset"),
        to_come=Sum(F("size") - F("offset")),
        oldest=Min("updated_at"),
    )
    return UnfinishedUploads(
        found["count"], found["bytes"] or 0, found["to_come"] or 0, found["oldest"]
    )


def _receiving() -> Amount:
    once = Content.objects.filter(state=Content.State.RECEIVING, uploads__isnull=True)
    found = once.aggregate(count=Count("pk"), bytes=Sum("size"))
    return Amount(found["count"], found["bytes"] or 0)
