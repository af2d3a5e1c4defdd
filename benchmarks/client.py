"""One client process: reads a job from its standard input, does it, prints what it found.

Started by benchmarks/load.py, several at a time. It must never be what is measured: raw
sockets, requests made beforehand, files sent by the kernel; nothing but the standard library.
The job is a line of JSON; after "ready" it waits for another line, so that all begin together.
Times are of the monotonic clock, which all processes share.
"""

from __future__ import annotations

import json
import random
import selectors
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

TIMEOUT_S = 120.0
BUFFER = bytearray(1 << 20)
VIEW = memoryview(BUFFER)
NAME_MARK = b"@@@@@@@@@@@@@@@@"
NAME_WIDTH = len(NAME_MARK)

Job = dict[str, Any]


class Caller:
    """A connection that is kept open from one request to the next."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.begun = 0.0
        self.head = b""
        self.body = b""
        self.missing = -1
        self.received = 0
        self.is_last = False
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def begin(self, *parts: bytes) -> None:
        """Send a request; small ones only, for it waits until the kernel has taken it."""
        self.expect()
        self.socket.sendall(b"".join(parts))

    def expect(self) -> None:
        """Forget the last answer and start the clock."""
        if self.is_last:
            self.socket.close()
            self.connect()
        self.head, self.body, self.missing, self.received = b"", b"", -1, 0
        self.begun = time.monotonic()

    def receive(self) -> bool:
        """Take what has come and return whether the answer is whole; OSError if it is cut."""
        count = self.socket.recv_into(BUFFER)
        if not count:
            raise ConnectionError("the server closed the connection")
        if self.missing >= 0:
            self.take(VIEW[:count])
            return self.missing == 0
        self.head += VIEW[:count]
        head, end, rest = self.head.partition(b"\r\n\r\n")
        if not end:
            return False
        self.head = head
        self.missing = self.length()
        self.take(memoryview(rest))
        return self.missing == 0

    def take(self, data: memoryview) -> None:
        self.missing -= len(data)
        self.received += len(data)
        if len(self.body) < 4096:
            self.body += data[:4096]

    def length(self) -> int:
        """Return the length of the answer's body; ValueError when it has none."""
        fields = self.head.lower().split(b"\r\n")
        self.is_last = b"connection: close" in fields or fields[0].startswith(b"http/1.0")
        for field in fields:
            if field.startswith(b"content-length:"):
                return int(field[15:])
        if self.status == 204:
            return 0
        raise ValueError(f"an answer of unknown length: {self.head!r}")

    @property
    def status(self) -> int:
        return int(self.head[9:12] or 0)

    def answer(self) -> None:
        """Wait for the answer's end."""
        while not self.receive():
            pass


def store_small(job: Job) -> Callable[[], tuple[bytes, ...]]:
    """Return a maker of uploads, each with a name and bytes of its own."""
    chance = random.Random(job["seed"])
    head, tail = job["head"].encode(), job["tail"].encode()
    noise = chance.randbytes(job["size"] - 16)
    before, after = head.split(NAME_MARK, 1)[0], head.split(NAME_MARK)[1:]
    first = chance.getrandbits(40) << 20
    number = 0

    def make() -> tuple[bytes, ...]:
        nonlocal number
        number += 1
        name = b"%016x" % (first + number)
        return (before, name, name.join(after), name, noise, tail)

    return make


def fetch_ranges(job: Job) -> Callable[[], tuple[bytes, ...]]:
    """Return a maker of requests for ranges at random places of a file."""
    chance = random.Random(job["seed"])
    head = f"GET {job['path']} HTTP/1.1\r\nHost: 127.0.0.1:{job['port']}\r\nRange: bytes="

    def make() -> tuple[bytes, ...]:
        start = chance.randrange(job["size"] - job["range"])
        return (f"{head}{start}-{start + job['range'] - 1}\r\n\r\n".encode(),)

    return make


def repeat(job: Job) -> Callable[[], Job]:
    """Make requests on several connections, each as soon as its last one is answered."""
    make = {"small": store_small, "ranges": fetch_ranges}[job["kind"]](job)
    callers = [Caller(job["port"]) for _number in range(job["clients"])]
    wanted = {"small": (200, 201), "ranges": (206,)}[job["kind"]]

    def work() -> Job:
        times: list[float] = []
        refused: dict[str, int] = {}
        selector = selectors.DefaultSelector()
        begun = time.monotonic()
        for caller in callers:
            caller.begin(*make())
            selector.register(caller.socket, selectors.EVENT_READ, caller)
        while selector.get_map():
            events = selector.select(TIMEOUT_S)
            if not events:
                raise TimeoutError("no answer came")
            for key, _mask in events:
                caller = key.data
                if not caller.receive():
                    continue
                now = time.monotonic()
                if caller.status in wanted:
                    times.append(now - caller.begun)
                else:
                    refused[str(caller.status)] = refused.get(str(caller.status), 0) + 1
                selector.unregister(caller.socket)
                if now - begun < job["seconds"]:
                    caller.begin(*make())
                    selector.register(caller.socket, selectors.EVENT_READ, caller)
        return {
            "begun": begun,
            "ended": time.monotonic(),
            "times_ms": [round(one * 1000, 3) for one in times],
            "refused": refused,
        }

    return work


def store_large(job: Job) -> Callable[[], Job]:
    """Upload a part of a file of this machine; the kernel sends it."""
    caller = Caller(job["port"])
    source = open(job["source"], "rb")  # noqa: SIM115 - The process ends with the job.

    def work() -> Job:
        caller.expect()
        try:
            caller.socket.sendall(job["head"].encode())
            caller.socket.sendfile(source, job["offset"], job["size"])
            caller.socket.sendall(job["tail"].encode())
        except ConnectionError:
            pass  # Refused before the end; the answer may be there all the same.
        caller.answer()
        return {
            "begun": caller.begun,
            "ended": time.monotonic(),
            "status": caller.status,
            "body": caller.body.decode(errors="replace"),
            "bytes": job["size"],
        }

    return work


def fetch(job: Job) -> Callable[[], Job]:
    """Download a file and look at its length only."""
    caller = Caller(job["port"])

    def work() -> Job:
        caller.begin(
            f"GET {job['path']} HTTP/1.1\r\nHost: 127.0.0.1:{job['port']}\r\n\r\n".encode()
        )
        caller.answer()
        return {
            "begun": caller.begun,
            "ended": time.monotonic(),
            "status": caller.status,
            "bytes": caller.received,
        }

    return work


KINDS = {"small": repeat, "ranges": repeat, "upload": store_large, "download": fetch}


def main() -> None:
    """Do the job, or print why it could not be done."""
    job = json.loads(sys.stdin.readline())
    try:
        work = KINDS[job["kind"]](job)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(work()))
    except (OSError, ValueError) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))


if __name__ == "__main__":
    main()
