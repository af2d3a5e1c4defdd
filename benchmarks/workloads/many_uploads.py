"""Fifty large uploads at once: what the server holds of them."""

from __future__ import annotations

from benchmarks.load import store_large
from benchmarks.workloads.large_files import LargeFiles
from benchmarks.workloads.workload import MIB, Turn

CLIENTS = 50
# Of each file; they begin at places of the source of their own.
LARGEST = 100 * MIB


class ManyUploads(LargeFiles):
    """100 MiB each in a full run."""

    name = "many-uploads"
    title = "50 uploads of 100 MB at once"
    explains = (
        "Fifty clients send a large file each (less where the run is quick). Memory is that of all "
        "processes (PSS) at its peak; the plain server holds each file whole, and is left out."
    )

    def reason_to_skip(self, turn: Turn) -> str:
        return "holds each file whole" if turn.peer.largest is not None else ""

    def measure(self, turn: Turn) -> None:
        size = min(LARGEST, turn.scale.large // 4)
        self.watch(
            turn,
            "",
            lambda: store_large(turn.peer, turn.source, files=CLIENTS, size=size, overlap=True),
        )
