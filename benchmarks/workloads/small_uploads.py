"""Files of 10 KB from eight clients."""

from __future__ import annotations

from benchmarks.figures import Metric
from benchmarks.load import store_small
from benchmarks.memory import processor_seconds
from benchmarks.workloads.workload import Turn, Workload

SIZE = 10 * 1024
WARM_UP_S = 0.3
RATE = Metric("files", "files/s", more_is_better=True)
P50 = Metric("half within", "ms")
P99 = Metric("99 of 100 within", "ms")
CPU = Metric("processor time", "ms a file")


class SmallUploads(Workload):
    """As many as go for some seconds, over connections that stay open."""

    name = "small-uploads"
    title = "Uploads of 10 KB, 8 clients"
    explains = (
        "Different files, each client sends its next as soon as the last is answered. nginx and "
        "copyparty answer before the disk has the bytes, so that ours at normal is their equal; "
        "the plain server's rollback journal syncs, so that our default is its equal."
    )
    is_fresh = True
    writes = True

    def measure(self, turn: Turn) -> None:
        clients = turn.scale.clients
        store_small(turn.peer, clients=clients, size=SIZE, seconds=WARM_UP_S)
        before = processor_seconds(turn.peer.pid)
        found = store_small(turn.peer, clients=clients, size=SIZE, seconds=turn.scale.seconds)
        used = processor_seconds(turn.peer.pid) - before
        turn.record("", RATE, found.per_second)
        turn.record("", P50, found.quantile_ms(0.5))
        turn.record("", P99, found.quantile_ms(0.99))
        turn.record("", CPU, used * 1000 / len(found.times_ms))
        if found.refused:
            turn.note("", RATE, f"some were refused, by status: {found.refused}")
