"""Lists, groups and filters of libraries of several sizes."""

from __future__ import annotations

import contextlib
import time
from http.client import HTTPConnection as Connection
from statistics import median

from benchmarks.figures import Metric
from benchmarks.peers.peer import Listing
from benchmarks.workloads.workload import Scale, Turn, Workload
from files.tests.running_server import http_connection

BLOCK = 1 << 20
REPEATS = 20
# What takes longer than this in the first round is not asked for again in the same round, and
# what took longer than ONCE_S is not asked for in later rounds.
REPEAT_BELOW_S = 0.2
ONCE_S = 10.0
TOO_LONG_S = 60.0
WHOLE = "all files"
FIRST = Metric("first byte", "ms")
TOTAL = Metric("whole answer", "ms")


class Lists(Workload):
    """All the lists that a server has, of one library."""

    explains = (
        "One client, the median of up to 20 requests in each round. Ours is a library made by "
        "`manage.py seed_demo`; the plain server has as many rows of 1 KB, copyparty and nginx as "
        "many files of 1 KB in one folder (up to 100,000). Only ours has pages, filters and "
        "groups: the others list everything."
    )

    def __init__(self, count: int) -> None:
        self.count = count
        self.name = f"lists-{count}"
        self.title = f"Lists of {count:,} files"

    def belongs_to(self, scale: Scale) -> bool:
        return self.count in scale.counts

    def reason_to_skip(self, turn: Turn) -> str:
        if self.count > turn.peer.most_files:
            return f"not measured above {turn.peer.most_files:,} files in a folder"
        for count in turn.scale.counts:
            smaller = turn.results.of(f"lists-{count}", WHOLE, TOTAL, turn.peer.name)
            if count < self.count and smaller.values:
                seconds = smaller.typical / 1000 * self.count / count
                if seconds > TOO_LONG_S and not turn.peer.name.startswith("ours"):
                    return f"would take {seconds:.0f} s, by what {count:,} files took"
        return ""

    def prepare(self, turn: Turn) -> None:
        turn.peer.fill(self.count)

    def measure(self, turn: Turn) -> None:
        with contextlib.closing(http_connection(turn.peer.port)) as connection:
            for listing in turn.peer.listings():
                if listing.is_whole:
                    turn.values(listing.label, FIRST)  # Comes first in the table too.
                earlier = turn.values(listing.label, TOTAL)
                if earlier and earlier[0] > ONCE_S * 1000:
                    continue
                self.measure_list(turn, connection, listing)

    def measure_list(self, turn: Turn, connection: Connection, listing: Listing) -> None:
        """Ask for one list several times; the first answer warms up and isn't counted."""
        first: list[float] = []
        total: list[float] = []
        for _number in range(REPEATS + 1):
            status, first_ms, total_ms = ask_for(connection, listing.path)
            if status != 200:
                turn.note(listing.label, TOTAL, f"answered with {status}")
                return
            first.append(first_ms)
            total.append(total_ms)
            if total_ms > REPEAT_BELOW_S * 1000 and len(total) > 1 or total_ms > ONCE_S * 1000:
                break
        if listing.is_whole:
            turn.record(listing.label, FIRST, median(first[1:] or first))
        turn.record(listing.label, TOTAL, median(total[1:] or total))


def ask_for(connection: Connection, path: str) -> tuple[int, float, float]:
    """Return the status and the milliseconds to the first byte and to the last."""
    begun = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read(1)
    first_s = time.perf_counter() - begun
    while answer.read(BLOCK):
        pass
    return answer.status, first_s * 1000, (time.perf_counter() - begun) * 1000
