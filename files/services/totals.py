"""Keeps the totals of each group, day and home without making uploads queue for one row.

Entry points: add_file and its kin, inside the transaction that changes what is counted. Every
FOLD_EVERY entries, fold melts a space's entries into one a group, day and home.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from files.models import File, Total, insert
from files.storage import in_transaction

# A prime, as MySQL may hand out only every second or third id.
FOLD_EVERY = 257
# What an entry may name, and what it counts.
COLUMNS = ("suffix", "day", "home")
NUMBERS = ("count", "bytes", "duplicates")


def add(
    *,
    space_id: int,
    count: int,
    size: int,
    suffix: str | None = None,
    day: date | None = None,
    home: str | None = None,
    duplicates: int = 0,
) -> None:
    """Add `count` files and `size` bytes (either may be negative) to what is named.

    The totals of the group `suffix`, of the `day` (UTC) and of the `home`; None leaves
    those out. `duplicates` are uploads refused on that day.
    """
    numbers = {"count": count, "bytes": size, "duplicates": duplicates}
    named = {"suffix": suffix, "day": day, "home": home}
    entry = Total(space_id=space_id, **numbers, **named)
    insert(entry)
    if entry.pk % FOLD_EVERY == 0:
        # Robust: what was committed stays so, and the next entry folds these too.
        transaction.on_commit(lambda: fold(space_id), robust=True)


def add_file(file: File, sign: int = 1) -> None:
    """Count a new file; with a `sign` of -1 one whose row goes for good."""
    add(
        space_id=file.space_id,
        suffix=file.suffix,
        day=timezone.now().date() if sign < 0 else file.upload_date.date(),
        home=file.home,
        count=sign,
        size=sign * file.size,
    )


def add_listed(file: File, sign: int) -> None:
    """Count a file that comes out of the trash (1) or goes into it (-1)."""
    add(
        space_id=file.space_id,
        suffix=file.suffix,
        day=timezone.now().date(),
        count=sign,
        size=sign * file.size,
    )


def add_home(file: File, sign: int) -> None:
    """Count bytes that come to their home (1), or leave it with the trash (-1)."""
    add(space_id=file.space_id, home=file.home, count=sign, size=sign * file.size)


@in_transaction
def fold(space_id: int) -> None:
    """Melt the newest entries into one for each group, day and home; no sum changes.

    Entries that another fold has locked are left to it, and rows of groups and days
    that nothing was added to stay as they are.
    """
    # Where none can be skipped (MariaDB before 10.6), folds come one after the other.
    skips = connection.features.has_select_for_update_skip_locked
    locked = Total.objects.in_space(space_id).select_for_update(skip_locked=skips)
    # Twice as many, as the rows of the last fold are among them.
    entries = list(locked.order_by("-pk")[: 2 * FOLD_EVERY])
    known = {entry.pk for entry in entries}
    entries += [entry for entry in locked.filter(_rows_of(entries)) if entry.pk not in known]
    Total.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
    Total.objects.bulk_create(_melted(space_id, entries))


def _rows_of(entries: Iterable[Total]) -> Q:
    """Return what finds the rows that an earlier fold made of the same groups, days and homes."""
    values: dict[str, set[Any]] = {column: set() for column in COLUMNS}
    for entry in entries:
        for column, value in _named(entry):
            values[column].add(value)
    found = Q(pk=None)
    for column in COLUMNS:
        others = {other: None for other in COLUMNS if other != column}
        found |= Q(**{f"{column}__in": values[column]}, **others)
    return found


def _melted(space_id: int, entries: Iterable[Total]) -> Iterator[Total]:
    """Yield one entry for each group, day and home that the entries name."""
    sums: dict[tuple[str, Any], Counter[str]] = defaultdict(Counter)
    for entry in entries:
        for named in _named(entry):
            sums[named].update({name: getattr(entry, name) for name in NUMBERS})
    for (column, value), numbers in sums.items():
        if any(numbers.values()):
            yield Total(space_id=space_id, **{column: value}, **numbers)


def _named(entry: Total) -> Iterator[tuple[str, Any]]:
    """Yield what the entry counts for, each as a column and its value."""
    for column in COLUMNS:
        value = getattr(entry, column)
        if value is not None:
            yield column, value
