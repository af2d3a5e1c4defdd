from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models

from files.actors import Actor
from files.models.content import Content
from files.models.fields import BytewiseCharField
from files.models.space import Space


class TotalQuerySet(models.QuerySet["Total"]):
    def visible_to(self, actor: Actor) -> TotalQuerySet:
        """Return the entries of the spaces that `actor` may see."""
        return self.filter(space_id__in=actor.spaces)

    def in_space(self, space_id: int) -> TotalQuerySet:
        """Return the entries of one space."""
        return self.filter(space_id=space_id)

    def by_suffix(self) -> models.QuerySet[Total, Any]:
        """Return `{suffix, count, bytes}` of each group that has files, by suffix.

        One query over a covering index, and one snapshot of all entries.
        """
        return self._sums("suffix")

    def by_day(self, since: date) -> models.QuerySet[Total, Any]:
        """Return `{day, count, bytes, duplicates}` of each day (UTC) with a change.

        `count` and `bytes` are the net growth; negative where more was deleted.
        """
        return (
            self.filter(day__gte=since)
            .order_by("day")
            .values("day")
            .annotate(files=models.Sum("count"), size=models.Sum("bytes"))
            .values(
                "day",
                count=models.F("files"),
                bytes=models.F("size"),
                duplicates=models.Sum("duplicates"),
            )
        )

    def by_home(self) -> models.QuerySet[Total, Any]:
        """Return `{home, count, bytes}` of where bytes are kept, the trash's included."""
        return self._sums("home")

    def duplicates(self) -> int:
        """Return how many uploads were refused because their bytes were there already."""
        entries = self.exclude(day=None)
        return int(entries.aggregate(all=models.Sum("duplicates"))["all"] or 0)

    def _sums(self, column: str) -> models.QuerySet[Total, Any]:
        sums: models.QuerySet[Total, Any] = (
            self.filter(**{f"{column}__isnull": False})
            .order_by(column)
            .values(column)
            .annotate(files=models.Sum("count"), size=models.Sum("bytes"))
            .filter(files__gt=0)
            .values(column, count=models.F("files"), bytes=models.F("size"))
        )
        return sums


class Total(models.Model):
    """An entry of the library's totals; what is shown are sums over entries.

    Every upload and delete adds an entry instead of changing rows that all others
    wait for. An entry counts in the totals of its group (`suffix`), of its day and of
    its home, where it names one; `services.totals.fold` melts entries into one for
    each group, one for each day and one for each home.
    """

    space = models.ForeignKey(Space, on_delete=models.CASCADE, db_index=False)
    # Null: not an entry of a group; "" is the group of files without a suffix.
    suffix = BytewiseCharField(  # type: ignore[misc]  # noqa: DJ001  # typed as never null
        max_length=32, blank=True, null=True
    )
    day = models.DateField(null=True, blank=True)  # UTC
    home = BytewiseCharField(  # type: ignore[misc]  # noqa: DJ001  # as `suffix`
        max_length=16, ascii_only=True, choices=Content.Home, null=True, blank=True
    )
    count = models.BigIntegerField()  # files, negative for a delete
    bytes = models.BigIntegerField()
    duplicates = models.BigIntegerField(default=0)  # uploads refused, in entries of a day

    objects = TotalQuerySet.as_manager()

    class Meta:
        db_table = "total"
        # Covers the sums of the groups, which every list shows. The table has a row a
        # group and a day, so the other sums read all of it.
        indexes = [models.Index(fields=["space", "suffix", "count", "bytes"], name="total_sums")]

    def __str__(self) -> str:
        of = self.suffix if self.suffix is not None else self.day or self.home
        return f"{of or '(none)'}: {self.count:+} files, {self.bytes:+} bytes"
