"""Keeps the totals of each group without making uploads queue for one row.

Entry point: add, inside the transaction that adds or deletes a file. Every
FOLD_EVERY entries, fold melts a space's entries into one a group.
"""

from __future__ import annotations

from collections import defaultdict

from django.db import connection, transaction

from files.models import SuffixTotal

# A prime, as MySQL may hand out only every second or third id.
FOLD_EVERY = 257


def add(*, space_id: int, suffix: str, count: int, size: int) -> None:
    """Add `count` files and `size` bytes (either may be negative) to a group."""
    entry = SuffixTotal.objects.create(space_id=space_id, suffix=suffix, count=count, bytes=size)
    if entry.pk % FOLD_EVERY == 0:
        # Robust: what was committed stays so, and the next entry folds these too.
        transaction.on_commit(lambda: fold(space_id), robust=True)


def fold(space_id: int) -> None:
    """Replace the space's entries by one for each group; the sums don't change.

    Entries that another fold has locked are left to it.
    """
    with transaction.atomic():
        locked = SuffixTotal.objects.filter(space_id=space_id)
        if connection.features.has_select_for_update_skip_locked:
            locked = locked.select_for_update(skip_locked=True)
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        entries = list(locked)
        for entry in entries:
            sums[entry.suffix][0] += entry.count
            sums[entry.suffix][1] += entry.bytes
        SuffixTotal.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
        SuffixTotal.objects.bulk_create(
            SuffixTotal(space_id=space_id, suffix=suffix, count=count, bytes=size)
            for suffix, (count, size) in sums.items()
            if count or size
        )
