"""Small ranges at random places of a large file, as players and readers ask for them."""

from __future__ import annotations

from benchmarks.figures import Metric
from benchmarks.load import Requests, fetch_ranges, store_large
from benchmarks.workloads.workload import Turn, Workload

RANGE = 64 << 10
WARM_UP_S = 0.2
RATE = Metric("ranges", "ranges/s", more_is_better=True)
P50 = Metric("half within", "ms")
P99 = Metric("99 of 100 within", "ms")


class Ranges(Workload):
    """64 KiB each."""

    name = "ranges"
    title = "Ranges of 64 KiB at random places of the large file"
    explains = (
        "Each client asks for its next range as soon as the last has come, over a connection that "
        "stays open. The plain server loads the file for every range, so its file has an eighth."
    )

    def prepare(self, turn: Turn) -> None:
        turn.peer.start()
        try:
            path = store_large(turn.peer, turn.source, files=1, size=self.size(turn)).paths[0]
        finally:
            turn.peer.stop()
        (turn.peer.folder / "path").write_text(path, encoding="utf-8")

    def measure(self, turn: Turn) -> None:
        path = (turn.peer.folder / "path").read_text(encoding="utf-8")
        for clients in (1, turn.scale.clients):
            case = f"{clients} client{'s' if clients > 1 else ''}"
            self.fetch(turn, path, clients, WARM_UP_S)
            found = self.fetch(turn, path, clients, turn.scale.seconds / 2)
            turn.record(case, RATE, found.per_second)
            turn.record(case, P50, found.quantile_ms(0.5))
            turn.record(case, P99, found.quantile_ms(0.99))

    def fetch(self, turn: Turn, path: str, clients: int, seconds: float) -> Requests:
        """Fetch ranges for some seconds."""
        return fetch_ranges(
            turn.peer,
            path,
            clients=clients,
            file_size=self.size(turn),
            size=RANGE,
            seconds=seconds,
        )

    @staticmethod
    def size(turn: Turn) -> int:
        return turn.scale.large if turn.peer.largest is None else turn.scale.part
