"""What the first page of the admin shows: figures of a library, and what happened last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format

from files.actors import DEFAULT_SPACE_ID
from files.models import Event, Space
from files.services.statistics import DayTotal, LibraryStatistics, library_statistics

DAYS = 30
EVENTS = 10
# Types shown one by one.
TYPES = 10
# Of the drawing, in its own units.
WIDTH, HEIGHT, GAP = 720, 160, 4


@dataclass(frozen=True)
class Bar:
    """A day's bar; `height` above or below the line of zero."""

    x: float
    y: float
    width: float
    height: float
    is_loss: bool
    title: str


@dataclass(frozen=True)
class Chart:
    """Bars of the bytes that came on each day; `zero` is where they stand."""

    bars: list[Bar]
    zero: float
    most: int  # bytes of the highest bar
    first: str
    last: str


@dataclass(frozen=True)
class Dashboard:
    """The figures of one space; `spaces` are the others to choose from, if there are any."""

    space: Space
    spaces: list[Space]
    figures: LibraryStatistics
    types: list[Any]
    chart: Chart


def dashboard_of(asked: str | None) -> Dashboard | None:
    """Return the figures of the space with the id `asked` for, or the first, if there are any.

    A dozen short queries.
    """
    asked = asked or str(DEFAULT_SPACE_ID)
    spaces = list(Space.objects.all()[:100])
    chosen = next((space for space in spaces if str(space.pk) == asked), None)
    space = chosen or (spaces[0] if spaces else None)
    if space is None:
        return None
    figures = library_statistics(space_id=space.pk, days=DAYS)
    return Dashboard(
        space=space,
        spaces=spaces if len(spaces) > 1 else [],
        figures=figures,
        types=sorted(figures.types, key=lambda one: -one.bytes)[:TYPES],
        chart=chart_of(figures.days),
    )


def latest_events() -> list[Event]:
    """Return what happened last."""
    return list(Event.objects.order_by("-pk")[:EVENTS])


def chart_of(days: Sequence[DayTotal]) -> Chart:
    """Return the drawing of how many bytes came, or went, on each day."""
    highest = max((day.bytes for day in days), default=0)
    lowest = min((day.bytes for day in days), default=0)
    top, bottom = max(highest, 0), min(lowest, 0)
    scale = HEIGHT / ((top - bottom) or 1)
    zero = top * scale
    return Chart(
        bars=list(_bars(days, zero, scale)),
        zero=round(zero, 1),
        most=top,
        first=date_format(days[0].day, "SHORT_DATE_FORMAT") if days else "",
        last=date_format(days[-1].day, "SHORT_DATE_FORMAT") if days else "",
    )


def _bars(days: Sequence[DayTotal], zero: float, scale: float) -> Iterator[Bar]:
    step = WIDTH / (len(days) or 1)
    for index, day in enumerate(days):
        height = abs(day.bytes) * scale
        # A day with little is seen to have something.
        height = max(height, 1.5) if day.bytes else 0
        yield Bar(
            x=round(index * step + GAP / 2, 1),
            y=round(zero if day.bytes < 0 else zero - height, 1),
            width=round(step - GAP, 1),
            height=round(height, 1),
            is_loss=day.bytes < 0,
            title=f"{date_format(day.day)}: {filesizeformat(day.bytes)}",
        )
