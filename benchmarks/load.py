"""Puts load on a server from several client processes and returns what they measured.

Entry points: store_small, store_large, fetch_large, fetch_ranges. The clients are processes of
their own (benchmarks/client.py), for Python runs one thread at a time. LoadError: a client was
refused or cut off.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.client import NAME_MARK
from benchmarks.peers.peer import Peer

CLIENT = Path(__file__).with_name("client.py")
CLIENT_TIMEOUT_S = 600
# Enough that no client waits for another, and not so many that they take turns on the cores.
PROCESSES = 2
NAME = NAME_MARK.decode()

Job = dict[str, Any]


class LoadError(Exception):
    """A client did not get what it asked for."""


@dataclass(frozen=True)
class Requests:
    """What many small requests took."""

    per_second: float
    times_ms: list[float]
    refused: dict[str, int]

    def quantile_ms(self, share: float) -> float:
        """Return the time that this share of the requests kept within."""
        return sorted(self.times_ms)[min(int(len(self.times_ms) * share), len(self.times_ms) - 1)]


@dataclass(frozen=True)
class Transfer:
    """What a few large transfers took together; `paths` is where the files are now."""

    bytes: int
    seconds: float
    paths: list[str]

    @property
    def mb_per_s(self) -> float:
        return self.bytes / 1e6 / self.seconds


def run_clients(jobs: list[Job]) -> list[Job]:
    """Do the jobs at the same time, each in a process; raise LoadError if one fails."""
    clients = [
        subprocess.Popen(
            [sys.executable, "-I", str(CLIENT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _job in jobs
    ]
    try:
        for client, job in zip(clients, jobs, strict=True):
            say(client, json.dumps(job))
        for client in clients:
            if client.stdout is not None and (line := client.stdout.readline()) != "ready\n":
                raise LoadError(line.strip())
        for client in clients:
            say(client, "go")
        found = [json.loads(client.communicate(timeout=CLIENT_TIMEOUT_S)[0]) for client in clients]
    finally:
        for client in clients:
            client.kill()
            client.communicate()
    for one in found:
        if "error" in one:
            raise LoadError(one["error"])
    return found


def say(client: subprocess.Popen[str], line: str) -> None:
    """Write a line to a client."""
    if client.stdin is not None:
        client.stdin.write(f"{line}\n")
        client.stdin.flush()


def repeat(clients: int, job: Job) -> Requests:
    """Let this many clients repeat a request for some seconds."""
    chance = random.SystemRandom()
    shares = [len(range(first, clients, PROCESSES)) for first in range(min(PROCESSES, clients))]
    found = run_clients([job | {"clients": n, "seed": chance.getrandbits(60)} for n in shares])
    seconds = max(one["ended"] for one in found) - min(one["begun"] for one in found)
    times = [time for one in found for time in one["times_ms"]]
    refused: dict[str, int] = {}
    for one in found:
        for status, count in one["refused"].items():
            refused[status] = refused.get(status, 0) + count
    if not times:
        raise LoadError(f"not one request was answered as it should be: {refused}")
    return Requests(len(times) / seconds, times, refused)


def store_small(peer: Peer, *, clients: int, size: int, seconds: float) -> Requests:
    """Upload different files of one size, as many as go."""
    frame = peer.frame(f"{NAME}.bin", size)
    job = {"kind": "small", "port": peer.port, "size": size, "seconds": seconds}
    return repeat(clients, job | {"head": frame.head, "tail": frame.tail})


def fetch_ranges(
    peer: Peer, path: str, *, clients: int, file_size: int, size: int, seconds: float
) -> Requests:
    """Fetch ranges of one size at random places of a file, as many as go."""
    job = {"kind": "ranges", "port": peer.port, "path": path, "seconds": seconds}
    return repeat(clients, job | {"size": file_size, "range": size})


def store_large(
    peer: Peer, source: Path, *, files: int, size: int, overlap: bool = False
) -> Transfer:
    """Upload different parts of `source` at the same time, each as a file.

    With `overlap` they only begin at different places, so that the source may be shorter.
    """
    jobs, names = [], [f"large-{number}-of-{files}.bin" for number in range(files)]
    for number, name in enumerate(names):
        frame = peer.frame(name, size)
        job = {"kind": "upload", "port": peer.port, "source": str(source), "size": size}
        offset = number * (1 << 20 if overlap else size)
        jobs.append(job | {"offset": offset, "head": frame.head, "tail": frame.tail})
    found = run_clients(jobs)
    for one in found:
        if one["status"] not in (200, 201):
            raise LoadError(f"the upload was answered {one['status']}: {one['body'][:200]}")
    paths = [peer.path_of(name, one["body"]) for name, one in zip(names, found, strict=True)]
    return transfer_of(found, paths)


def fetch_large(peer: Peer, path: str, *, clients: int, size: int) -> Transfer:
    """Download one file, as often as there are clients, at the same time."""
    found = run_clients([{"kind": "download", "port": peer.port, "path": path}] * clients)
    for one in found:
        if one["status"] != 200 or one["bytes"] != size:
            raise LoadError(f"{one['bytes']} of {size} bytes came, status {one['status']}")
    return transfer_of(found, [path])


def transfer_of(found: list[Job], paths: list[str]) -> Transfer:
    """Return what transfers took from the first one's begin to the last one's end."""
    seconds = max(one["ended"] for one in found) - min(one["begun"] for one in found)
    return Transfer(sum(one["bytes"] for one in found), seconds, paths)
