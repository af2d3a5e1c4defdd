"""From the start of the process to the first answer."""

from __future__ import annotations

from benchmarks.figures import Metric
from benchmarks.workloads.workload import Turn, Workload

START = Metric("first 200", "s", is_best=True)


class ColdStart(Workload):
    """An empty library whose folders are there already."""

    name = "cold-start"
    title = "Cold start"
    explains = (
        "From the start of the process to the first list that is answered with 200; the folders "
        "and tables are there already, the programs in the kernel's cache."
    )

    def run(self, turn: Turn) -> None:
        """Start and stop it: the start is what is measured."""
        turn.record("", START, turn.peer.start(until_it_lists=True))
        turn.peer.stop()

    def measure(self, turn: Turn) -> None:
        """Nothing more."""
