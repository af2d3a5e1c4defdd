"""A run of the benchmark: servers that take turns at workloads, and what was found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.figures import Metric, Results
from benchmarks.large_source import make_source
from benchmarks.load import LoadError
from benchmarks.machine import describe
from benchmarks.peers import Peer
from benchmarks.workloads import Scale, Turn, Workload

# What a server does that can't do the work; the others go on.
FAILURES = (LoadError, OSError, RuntimeError, ValueError, subprocess.SubprocessError)
ALL = Metric("all", "")


class Bench:
    """The servers, how much they do, and the figures so far."""

    def __init__(self, work: Path, scale: Scale, libraries: dict[int, Path]) -> None:
        self.work = work
        self.scale = scale
        self.libraries = libraries
        self.source = work / "source.bin"
        self.results = Results()
        self.peers: list[Peer] = []
        self.failed: set[tuple[str, str]] = set()

    def prepare(self, peers: Sequence[type[Peer]]) -> None:
        """Make the folders, find out which servers are there, describe the machine."""
        self.work.mkdir(parents=True)
        known: dict[str, dict[str, str]] = {}
        missing: dict[str, str] = {}
        for peer in peers:
            try:
                version = peer.version()
            except LookupError as error:
                missing[peer.title] = str(error)
                continue
            known[peer.name] = {"title": peer.title, "version": version, "does": peer.does}
            folder = self.work / peer.name
            folder.mkdir()
            self.peers.append(peer(folder, self.libraries))
        self.results.about = {
            "machine": describe(self.work),
            "rounds": self.scale.rounds,
            "large": f"{self.scale.large >> 20:,} MiB",
            "peers": known,
            "synced": [peer.name for peer in self.peers if peer.syncs],
            "missing": missing,
            "workloads": {},
        }
        make_source(self.source, self.scale.large)

    def run(self, workload: Workload) -> None:
        """Let all servers do the work, in turns."""
        about = {"title": workload.title, "explains": workload.explains}
        self.results.about["workloads"][workload.name] = about
        turns = [turn for peer in self.peers if (turn := self.prepared(workload, peer))]
        try:
            for number in range(self.scale.rounds):
                first = number % max(len(turns), 1)
                for turn in turns[first:] + turns[:first]:
                    self.take(turn, workload, number)
        finally:
            for peer in self.peers:
                peer.clear()

    def prepared(self, workload: Workload, peer: Peer) -> Turn | None:
        """Return the server's turn, prepared, or None if it is left out."""
        if peer.is_variant and not workload.writes:
            return None
        turn = Turn(workload.name, peer, self.scale, self.source, self.results)
        if reason := workload.reason_to_skip(turn):
            turn.note("", ALL, reason)
            return None

        def prepare(turn: Turn) -> None:
            peer.reset()
            workload.prepare(turn)

        return turn if self.succeeds(turn, prepare) else None

    def take(self, turn: Turn, workload: Workload, number: int) -> None:
        """Let one server have its turn in a round, unless it has failed before."""
        if (workload.name, turn.peer.name) in self.failed:
            return
        if workload.is_fresh and number:
            turn.peer.reset()
        # So that nobody pays for what another left the kernel to write.
        os.sync()
        print(f"  round {number + 1}: {turn.peer.title}", file=sys.stderr, flush=True)
        self.succeeds(turn, workload.run)
        if workload.is_fresh:
            turn.peer.clear()

    def succeeds(self, turn: Turn, work: Callable[[Turn], None]) -> bool:
        """Return whether the work was done; keep why it was not."""
        try:
            work(turn)
        except FAILURES as error:
            words = " ".join(str(error).split())
            reason = f"failed: {type(error).__name__}: {words[-300:]}"
            print(f"  {turn.peer.title} {reason}", file=sys.stderr, flush=True)
            turn.note("", ALL, reason)
            self.failed.add((turn.workload, turn.peer.name))
            return False
        return True
