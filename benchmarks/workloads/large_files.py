"""One large file and eight at once, up and down; memory and processor time meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.figures import Metric
from benchmarks.load import Transfer, fetch_large, store_large
from benchmarks.memory import MIB, Memory, processor_seconds
from benchmarks.workloads.workload import Turn, Workload

SPEED = Metric("speed", "MB/s", more_is_better=True)
CPU = Metric("processor time", "ms a MB")
PEAK = Metric("memory at its peak", "MiB")
IDLE = Metric("memory", "MiB")


class LargeFiles(Workload):
    """1 GiB in a full run."""

    name = "large-files"
    title = "A large file up and down, by 1 client and by 8"
    explains = (
        "One client sends and fetches the large file; eight send an eighth of it each, and fetch "
        "all of it each. Everything is read from the kernel's cache and goes over loopback; the "
        "clients run on the same cores. Memory is that of all processes (PSS), idle before the "
        "first request and at its peak. The plain server takes no more than 1,000,000,000 bytes "
        "(SQLite's limit for a value): it is sent 900 MiB at most, and eight clients fetch an "
        "eighth of the large file from it, for it holds each in memory."
    )
    is_fresh = True
    writes = True

    def measure(self, turn: Turn) -> None:
        peer, scale = turn.peer, turn.scale
        turn.record("idle", IDLE, Memory(peer.pid).now() / MIB)
        size = min(scale.large, peer.largest or scale.large)
        one = self.watch(
            turn, "up, 1 client", lambda: store_large(peer, turn.source, files=1, size=size)
        )
        eight = self.watch(
            turn,
            f"up, {scale.clients} clients",
            lambda: store_large(peer, turn.source, files=scale.clients, size=scale.part),
        )
        if peer.is_variant:
            return
        path, each = one.paths[0], size
        self.watch(turn, "down, 1 client", lambda: fetch_large(peer, path, clients=1, size=size))
        if peer.largest is not None:
            path, each = eight.paths[0], scale.part
        self.watch(
            turn,
            f"down, {scale.clients} clients",
            lambda: fetch_large(peer, path, clients=scale.clients, size=each),
        )

    @staticmethod
    def watch(turn: Turn, case: str, transfer: Callable[[], Transfer]) -> Transfer:
        """Record the speed of a transfer and what the server takes for it."""
        memory = Memory(turn.peer.pid)
        before = processor_seconds(turn.peer.pid)
        with memory.sampled():
            found = transfer()
        used = processor_seconds(turn.peer.pid) - before
        turn.record(case, SPEED, found.mb_per_s)
        turn.record(case, CPU, used * 1000 / (found.bytes / 1e6))
        turn.record(case, PEAK, memory.peak / MIB)
        return found
