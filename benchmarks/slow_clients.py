"""Measure how much slow clients hold up the others.

    python benchmarks/slow_clients.py http://127.0.0.1:8000

Many clients begin an upload and send one byte a second; meanwhile, another one asks for
/healthz and uploads small files, one after the other. Prints the times without and with the
slow clients and ends with status 1 when the slowest request took more than the limit longer
than the slowest one before. Needs nothing but Python. What it uploads, it deletes.
"""

import argparse
import http.client
import json
import os
import socket
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from statistics import median


class SlowClients:
    """Connections that announce a large body and send a byte of it every second."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        self.address = address
        self.open: list[socket.socket] = []
        self.cut = 0
        self.stopped = threading.Event()
        for number in range(count):
            self.open.append(self.begin(number))
        self.thread = threading.Thread(target=self.trickle, daemon=True)
        self.thread.start()

    def begin(self, number: int) -> socket.socket:
        """Send the head of an upload."""
        connection = socket.create_connection(self.address, timeout=10)
        host = f"{self.address[0]}:{self.address[1]}"
        head = f"PUT /upload/slow-{number}.bin HTTP/1.1\r\nHost: {host}\r\n"
        connection.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode())
        return connection

    def trickle(self) -> None:
        """Send each connection a byte a second until it is cut or all is stopped."""
        while not self.stopped.wait(1):
            for connection in list(self.open):
                try:
                    connection.sendall(b"x")
                except OSError:
                    self.open.remove(connection)
                    self.cut += 1

    def stop(self) -> None:
        """Hang up."""
        self.stopped.set()
        self.thread.join()
        for connection in self.open:
            connection.close()


class QuickClient:
    """A client that has its own connection for each request, as a new visitor has."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.stored: list[str] = []

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Return the answer's body; raise RuntimeError when it is no success."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:200]!r}")
        return answer

    def health(self) -> None:
        """Ask whether the server is well."""
        self.ask("GET", "/healthz")

    def upload(self) -> None:
        """Upload a small file that is not there yet."""
        answer = self.ask("PUT", "/upload/quick.bin", os.urandom(2000))
        self.stored.append(str(json.loads(answer)["id"]))

    def clean(self) -> None:
        """Delete what was uploaded."""
        for number in self.stored:
            self.ask("DELETE", f"/delete/{number}")


def measure(request: Callable[[], None], duration_s: float) -> list[float]:
    """Return the times of requests made one after the other, in ms."""
    times = []
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        start = time.perf_counter()
        request()
        times.append((time.perf_counter() - start) * 1000)
        time.sleep(0.01)
    return sorted(times)


def report(name: str, times: list[float]) -> None:
    """Print one line of figures."""
    p99 = times[int(len(times) * 0.99)]
    print(
        f"{name:<28} {len(times):5} requests  median {median(times):7.1f} ms"
        f"  p99 {p99:7.1f} ms  max {times[-1]:7.1f} ms"
    )


def main() -> int:
    """Measure, print and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--clients", type=int, default=64, help="slow clients (64)")
    parser.add_argument("--duration", type=float, default=10, help="seconds per measurement (10)")
    parser.add_argument("--limit", type=float, default=200, help="ms longer at most (200)")
    options = parser.parse_args()
    url = urllib.parse.urlsplit(options.url)
    address = (url.hostname or "127.0.0.1", url.port or 80)
    quick = QuickClient(address)
    requests = {"GET /healthz": quick.health, "PUT /upload/ of 2 kB": quick.upload}
    for request in requests.values():
        measure(request, 0.5)  # The first ones pay for imports and connections.
    before = {name: measure(request, options.duration) for name, request in requests.items()}
    slow = SlowClients(address, options.clients)
    time.sleep(2)
    during = {name: measure(request, options.duration) for name, request in requests.items()}
    slow.stop()
    quick.clean()
    good = True
    for name in requests:
        report(name, before[name])
        report(f"  with {options.clients} slow clients", during[name])
        good = good and during[name][-1] - before[name][-1] <= options.limit
    print(f"{slow.cut} slow clients were cut off by the server")
    print("good" if good else f"too slow: more than {options.limit:.0f} ms longer")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
