"""What every workload is: something that a server is made to do while it is measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.figures import Metric, Results
from benchmarks.peers.peer import Peer

MIB = 1 << 20


@dataclass(frozen=True)
class Scale:
    """How much is done: a run takes its figures from here, so that all sizes shrink together."""

    rounds: int
    seconds: float
    large: int
    counts: tuple[int, ...]
    clients: int = 8

    @property
    def part(self) -> int:
        """Return the size of each file when all clients send one."""
        return self.large // self.clients


FULL = Scale(rounds=5, seconds=3.0, large=1024 * MIB, counts=(1_000, 100_000, 1_000_000))
QUICK = Scale(rounds=3, seconds=1.0, large=128 * MIB, counts=(1_000, 10_000))


@dataclass
class Turn:
    """One server's turn in one round; what it measures goes to `results`."""

    workload: str
    peer: Peer
    scale: Scale
    source: Path
    results: Results

    def record(self, case: str, metric: Metric, value: float) -> None:
        """Add a value."""
        self.results.of(self.workload, case, metric, self.peer.name).values.append(value)

    def values(self, case: str, metric: Metric) -> list[float]:
        """Return what this server's earlier rounds measured."""
        return self.results.of(self.workload, case, metric, self.peer.name).values

    def note(self, case: str, metric: Metric, text: str) -> None:
        """Say why there is no value, or what is different about it."""
        self.results.of(self.workload, case, metric, self.peer.name).note = text


class Workload(ABC):
    """Something to do, for each server in turn, in each round."""

    name: str
    title: str
    # For whoever reads the table: what is done, and what to think of when reading it.
    explains: ClassVar[str]
    # Whether every turn begins with empty data; otherwise they are kept from round to round.
    is_fresh: ClassVar[bool] = False
    # Whether our other durability is measured too.
    writes: ClassVar[bool] = False

    def belongs_to(self, scale: Scale) -> bool:
        """Return whether a run of this scale has it."""
        return True

    def reason_to_skip(self, turn: Turn) -> str:
        """Return why this server is left out, or nothing."""
        return ""

    def prepare(self, turn: Turn) -> None:  # noqa: B027 - Most need nothing.
        """Do once, before the first round and before the server is started, what takes long."""

    def run(self, turn: Turn) -> None:
        """Start the server, measure, stop it."""
        turn.peer.start()
        try:
            self.measure(turn)
        finally:
            turn.peer.stop()

    @abstractmethod
    def measure(self, turn: Turn) -> None:
        """Measure one turn of a server that has been started."""
