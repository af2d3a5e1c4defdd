from __future__ import annotations

from typing import Any

from django.db import models

from files.actors import Actor
from files.models.fields import BytewiseCharField
from files.models.space import Space


class SuffixTotalQuerySet(models.QuerySet["SuffixTotal"]):
    def visible_to(self, actor: Actor) -> SuffixTotalQuerySet:
        """Return the entries of the spaces that `actor` may see."""
        return self.filter(space_id__in=actor.spaces)

    def by_suffix(self, space_id: int) -> models.QuerySet[SuffixTotal, Any]:
        """Return `{suffix, count, bytes}` for each group that has files, by suffix.

        One query over a covering index, and one snapshot of all entries.
        """
        return (
            self.filter(space_id=space_id)
            .order_by("suffix")
            .values("suffix")
            .annotate(files=models.Sum("count"), total=models.Sum("bytes"))
            .filter(files__gt=0)
            .values("suffix", count=models.F("files"), bytes=models.F("total"))
        )


class SuffixTotal(models.Model):
    """An entry of a group's totals; the totals are the sums over its entries.

    Every upload and delete adds an entry instead of changing a row that all
    others wait for; `services.totals.fold` melts them into one now and then.
    """

    space = models.ForeignKey(Space, on_delete=models.CASCADE, db_index=False)
    suffix = BytewiseCharField(max_length=32, blank=True)
    count = models.BigIntegerField()  # files, negative for a delete
    bytes = models.BigIntegerField()

    objects = SuffixTotalQuerySet.as_manager()

    class Meta:
        db_table = "suffix_total"
        # Covers the sums, so that reading totals touches no table row.
        indexes = [
            models.Index(fields=["space", "suffix", "count", "bytes"], name="suffix_total_sums")
        ]

    def __str__(self) -> str:
        return f"{self.suffix or '(none)'}: {self.count:+} files, {self.bytes:+} bytes"
