"""What a file of twice the large size takes of memory, beside a thirty-second of it."""

from __future__ import annotations

from benchmarks.figures import Metric
from benchmarks.large_source import make_source
from benchmarks.load import fetch_large, store_large
from benchmarks.memory import MIB, Memory
from benchmarks.workloads.workload import Turn, Workload

PEAK = Metric("memory at its peak", "MiB")
IDLE = Metric("memory", "MiB")


class FlatMemory(Workload):
    """2 GiB in a full run; once, for it does not change from round to round."""

    name = "flat-memory"
    title = "Memory while a file of twice that size goes up and down"
    explains = (
        "All of the server's processes, pages that they share counted once (PSS); the database's "
        "are not among them. Measured once, the smaller file first, in the same server."
    )
    is_fresh = True
    writes = True

    def measure(self, turn: Turn) -> None:
        if turn.values("idle", IDLE):
            return
        peer, size = turn.peer, 2 * turn.scale.large
        source = peer.folder.parent / "flat-memory.bin"
        if not source.exists():
            make_source(source, size)
        memory = Memory(peer.pid)
        turn.record("idle", IDLE, memory.now() / MIB)
        for part in (size // 32, size):
            case = f"{part // MIB:,} MiB"
            with memory.sampled():
                path = store_large(peer, source, files=1, size=part).paths[0]
            turn.record(f"{case} up", PEAK, memory.peak / MIB)
            with memory.sampled():
                fetch_large(peer, path, clients=1, size=part)
            turn.record(f"{case} down", PEAK, memory.peak / MIB)
