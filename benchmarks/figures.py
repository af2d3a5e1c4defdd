"""The figures of a run: kept by workload, case, metric and server; medians, spreads, ratios."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True)
class Metric:
    """What is measured, in which unit, and which way is better."""

    name: str
    unit: str
    more_is_better: bool = False
    # Whether the best round counts, not the median: all that disturbs makes it worse.
    is_best: bool = False


@dataclass
class Series:
    """One metric of one server, a value for each round; without values, `note` says why."""

    workload: str
    case: str
    metric: Metric
    peer: str
    values: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def typical(self) -> float:
        """Return the median, or the best value of a metric whose best counts."""
        if self.metric.is_best:
            return max(self.values) if self.metric.more_is_better else min(self.values)
        return median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Return where the middle half of the values begins and ends."""
        if len(self.values) < 2:
            return self.values[0], self.values[0]
        low, _middle, high = quantiles(self.values, n=4, method="inclusive")
        return low, high


def times_better(ours: Series, other: Series) -> float:
    """Return how many times better our figure is than the other's; below 1 it is worse."""
    better, worse = ours.typical, other.typical
    if not ours.metric.more_is_better:
        better, worse = worse, better
    if not worse:
        return math.inf if better else 1.0
    return better / worse


class Results:
    """All series of a run, in the order in which they were first measured."""

    def __init__(self, about: dict[str, Any] | None = None) -> None:
        self.about = about or {}
        self.series: dict[tuple[str, str, str, str], Series] = {}

    def of(self, workload: str, case: str, metric: Metric, peer: str) -> Series:
        """Return the series, new if there is none."""
        key = (workload, case, metric.name, peer)
        return self.series.setdefault(key, Series(workload, case, metric, peer))

    def find(self, one: Series, peer: str) -> Series | None:
        """Return another server's series of the same metric, if it has values."""
        found = self.series.get((one.workload, one.case, one.metric.name, peer))
        return found if found is not None and found.values else None

    def groups(self, workload: str) -> Iterator[list[Series]]:
        """Yield for each case and metric of a workload the series of all servers."""
        found: dict[tuple[str, str], list[Series]] = {}
        for one in self.series.values():
            if one.workload == workload:
                found.setdefault((one.case, one.metric.name), []).append(one)
        yield from found.values()

    def as_json(self) -> dict[str, Any]:
        """Return everything, medians included, for json.dump."""
        return self.about | {
            "series": [
                asdict(one) | ({"typical": one.typical} if one.values else {})
                for one in self.series.values()
            ]
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Results:
        """Return what `as_json` wrote."""
        results = cls({name: value for name, value in found.items() if name != "series"})
        for one in found["series"]:
            series = results.of(one["workload"], one["case"], Metric(**one["metric"]), one["peer"])
            series.values, series.note = one["values"], one["note"]
        return results


def readable(value: float) -> str:
    """Return a number with three digits that matter: 0.0123, 1.23, 123, 12,345."""
    if not value or math.isinf(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"
