"""A large file up and down by one client, as plain bytes."""

from __future__ import annotations

from benchmarks.load import fetch_large, store_large
from benchmarks.workloads.large_files import LargeFiles
from benchmarks.workloads.workload import Turn, Workload


class OneLargeFile(Workload):
    """1 GiB in a full run."""

    name = "one-large-file"
    title = "A large file up and down"
    explains = (
        "One client over loopback, from and to the kernel's cache. Processor time and memory are "
        "those of our server's processes, the database's not among them."
    )
    is_fresh = True
    writes = True

    def measure(self, turn: Turn) -> None:
        peer, size = turn.peer, turn.scale.large
        found = LargeFiles.watch(
            turn, "up", lambda: store_large(peer, turn.source, files=1, size=size)
        )
        path = found.paths[0]
        LargeFiles.watch(turn, "down", lambda: fetch_large(peer, path, clients=1, size=size))
