"""What the processes of a server take: memory and processor time, with all that descend from it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from files.tests.running_server import family_of

MIB = 1 << 20
SAMPLE_S = 0.2

Figures = dict[str, Any]


class Memory:
    """The memory of a process and all that descend from it, sampled while work is done."""

    def __init__(self, pid: int | None) -> None:
        self.pid = pid
        self.peak = 0
        self.measures: Callable[[int], int] = private_and_shared

    def now(self) -> int:
        """Return their memory in bytes, pages that they share counted once; 0 if unknown."""
        return sum(self.measures(pid) for pid in family_of(self.pid)) if self.pid else 0

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Keep the peak of what is done inside."""
        self.peak = self.now()
        done = threading.Event()

        def sample() -> None:
            while not done.wait(SAMPLE_S):
                self.peak = max(self.peak, self.now())

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @contextmanager
    def watched(self, figures: Figures, work: str) -> Iterator[None]:
        """Add the memory before, and the peak during, what is done inside."""
        before = self.now()
        with self.sampled():
            yield
        if self.pid:
            figures[f"{work}: memory before, MiB"] = round(before / MIB, 1)
            figures[f"{work}: memory at its peak, MiB"] = round(self.peak / MIB, 1)


def private_and_shared(pid: int) -> int:
    """Return the process's bytes in memory, each shared page divided among its users."""
    for name, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue  # Ended meanwhile, or not ours to read: RSS is open to all.
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(key))
    return 0


def processor_seconds(pid: int) -> float:
    """Return the processor time, user and system, that the process's family has used."""
    ticks = 0
    for one in family_of(pid):
        with contextlib.suppress(OSError):  # Ended meanwhile.
            # The name is in parentheses and may hold spaces; utime and stime are fields 14, 15.
            fields = Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2]
            ticks += sum(int(field) for field in fields.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")
