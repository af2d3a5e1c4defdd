"""Finds a page of rows in bounded time, whatever is asked of how many rows.

Entry points: `seek`, where an index gives both what is searched and the order; `walk`,
where none does: it goes along an order that an index gives, and stops when its time is over.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from files.models import first_rows, in_index_order

Row = TypeVar("Row", bound=Model)
# A row's values in the columns of an order: a place in a list.
Key = tuple[Any, ...]

# Seconds after which a walk takes no further step.
WALK_TIME_S = 0.15
# Rows passed by a step of a walk: the first, doubled up to the last.
FIRST_STEP, LAST_STEP = 4_000, 32_000


@dataclass(frozen=True)
class Order:
    """Columns, the last of which is unique, all in the same direction."""

    columns: tuple[str, ...]
    descending: bool = True

    @property
    def reversed(self) -> Order:
        return replace(self, descending=not self.descending)

    @property
    def terms(self) -> list[str]:
        """Return what `order_by` takes."""
        return [f"-{column}" if self.descending else column for column in self.columns]

    def key_of(self, row: Model) -> Key:
        """Return the place of `row`."""
        return tuple(getattr(row, column) for column in self.columns)

    def behind(self, key: Key) -> Q:
        """Return what finds the rows behind `key`, where few share a first value."""
        return self._beyond(key, "lt" if self.descending else "gt", "")

    def up_to(self, key: Key) -> Q:
        """Return what finds the rows before `key`, and the one at it."""
        return self._beyond(key, "gt" if self.descending else "lt", "e")

    def _beyond(self, key: Key, sign: str, or_equal: str) -> Q:
        *columns, last = self.columns
        found, equal = Q(), Q()
        for name, value in zip(columns, key, strict=False):
            found |= equal & Q(**{f"{name}__{sign}": value})
            equal &= Q(**{name: value})
        found |= equal & Q(**{f"{last}__{sign}{or_equal}": key[-1]})
        # The first condition tells the database where in the index to begin.
        return Q(**{f"{self.columns[0]}__{sign}e": key[0]}) & found if columns else found


@dataclass(frozen=True)
class Stretch(Generic[Row]):
    """Rows in order; `end` is the place where the next ones begin, None at the list's end."""

    rows: list[Row]
    end: Key | None
    # Time was over before there were enough rows.
    unfinished: bool = False


def seek(rows: QuerySet[Row], order: Order, limit: int, after: Key | None) -> Stretch[Row]:
    """Return up to `limit` rows behind `after`; a query a column of the order at most.

    As FileQuerySet.page, for any order: first what equals `after` in all columns but the
    last, then in all but the last two … so that no step is made over equal entries.
    """
    ordered = rows.order_by(*order.terms)
    found: list[Row] = []
    for depth in reversed(range(len(order.columns) if after is not None else 1)):
        if len(found) <= limit:
            place = after and zip(order.columns[:depth], after, strict=False)
            sign = "lt" if order.descending else "gt"
            beyond = {f"{order.columns[depth]}__{sign}": after[depth]} if after else {}
            rest = ordered.filter(**dict(place or ()), **beyond)
            found += first_rows(rest, limit + 1 - len(found))
    return _stretch(found, order, limit)


def walk(
    rows: QuerySet[Row], passed: QuerySet[Row], order: Order, limit: int, after: Key | None
) -> Stretch[Row]:
    """Return up to `limit` of `rows` behind `after`, in about WALK_TIME_S at most.

    `passed` are the rows among which they are searched, which an index gives in this
    order; few of them may share a value of its first column. It is gone through in steps,
    so that whatever the database makes of the filters, a step reads no more than its rows.
    """
    found: list[Row] = []
    step, deadline = FIRST_STEP, time.monotonic() + WALK_TIME_S
    ordered = rows.order_by(*order.terms)
    while True:
        edge = _edge(passed, order, step, after)
        part = ordered.filter(order.behind(after)) if after else ordered
        if edge:
            part = part.filter(order.up_to(edge))
        found += first_rows(part, limit + 1 - len(found))
        if edge is None or len(found) > limit:
            return _stretch(found, order, limit)
        if time.monotonic() > deadline:
            return Stretch(found, edge, unfinished=True)
        after, step = edge, min(2 * step, LAST_STEP)


def _edge(passed: QuerySet[Row], order: Order, step: int, after: Key | None) -> Key | None:
    """Return the place `step` rows behind `after`, None where there are fewer."""
    ahead = passed.filter(order.behind(after)) if after else passed
    ordered = in_index_order(ahead.order_by(*order.terms))
    return ordered.values_list(*order.columns)[step : step + 1].first()


def _stretch(found: list[Row], order: Order, limit: int) -> Stretch[Row]:
    more = len(found) > limit
    return Stretch(found[:limit], order.key_of(found[limit - 1]) if more else None)
