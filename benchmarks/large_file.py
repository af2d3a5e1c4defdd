"""Measures one large file up (as a form, raw, by tus) and down, and the server's memory meanwhile.

    python benchmarks/large_file.py [--size 2147483648] [--json]
    python benchmarks/large_file.py --url http://127.0.0.1:8000 --pid 1234

Without --url a server of its own is started, at FILESERVER_DURABILITY=full. --pid is the
main process of a server that runs already; without it its memory isn't measured. What is
uploaded is deleted. wget, aria2c and curl are used where they are installed. Needs four times
--size in the temporary directory.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.large_source import make_source  # noqa: E402
from benchmarks.memory import Figures, Memory  # noqa: E402
from files.tests.running_server import (  # noqa: E402
    BOUNDARY,
    Answer,
    ask,
    form_around,
    running_server,
)

MIB = 1 << 20
BLOCK = MIB
RANGE_BYTES = 64 << 10
RANGE_RUNS = 20


class LargeFile:
    """One large file, its way to a server and back."""

    def __init__(self, url: str, source: Path, hash: str) -> None:
        self.address = urllib.parse.urlsplit(url).netloc
        self.url = url
        self.source = source
        self.size = source.stat().st_size
        self.hash = hash

    def connect(self) -> closing[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(self.address, timeout=600, blocksize=BLOCK)
        return closing(connection)

    def upload(self, *, as_form: bool) -> tuple[int, float]:
        """Stream the file to the server; return its id and the MB/s."""
        head, tail = form_around(self.source.name) if as_form else (b"", b"")
        headers = {"Content-Length": str(self.size + len(head) + len(tail))}
        if as_form:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        method, path = ("POST", "/upload") if as_form else ("PUT", f"/upload/{self.source.name}")

        def body() -> Iterator[bytes]:
            yield head
            with self.source.open("rb") as file:
                while block := file.read(BLOCK):
                    yield block
            yield tail

        with self.connect() as connection:
            begun = time.perf_counter()
            connection.request(method, path, body(), headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.read(), response.headers)
            speed = self.size / 1e6 / (time.perf_counter() - begun)
        if answer.status != 200 or answer.json()["hash"] != self.hash:
            raise SystemExit(f"The upload failed: {answer.status} {answer.body[:500]!r}")
        return int(answer.json()["id"]), speed

    def upload_resumably(self, piece: int) -> tuple[int, float]:
        """Send the file in pieces of so many bytes, as tus does; return its id and the MB/s."""
        tus = {"Tus-Resumable": "1.0.0"}
        kind = tus | {"Content-Type": "application/offset+octet-stream"}
        with self.connect() as connection, self.source.open("rb") as file:
            begun = time.perf_counter()
            length = tus | {"Upload-Length": str(self.size)}
            address = ask(connection, "POST", "/api/v1/uploads/", headers=length).headers[
                "Location"
            ]
            for offset in range(0, self.size, piece):
                size = min(piece, self.size - offset)
                headers = kind | {"Upload-Offset": str(offset), "Content-Length": str(size)}
                connection.request("PATCH", address, blocks_of(file, size), headers)
                response = connection.getresponse()
                refusal = response.read()
                if response.status != 204:
                    raise SystemExit(f"The upload failed: {response.status} {refusal[:500]!r}")
            speed = self.size / 1e6 / (time.perf_counter() - begun)
            stored = ask(connection, "GET", address).json()["file"]
        if stored["hash"] != self.hash:
            raise SystemExit(f"The upload came as {stored}")
        return int(stored["id"]), speed

    def download(self, file_id: int) -> float:
        """Fetch the file, look at its length only, and return the MB/s."""
        received = 0
        with self.connect() as connection:
            begun = time.perf_counter()
            connection.request("GET", f"/download/{file_id}")
            response = connection.getresponse()
            while block := response.read(BLOCK):
                received += len(block)
        if received != self.size:
            raise SystemExit(f"{received} bytes of {self.size} came back.")
        return self.size / 1e6 / (time.perf_counter() - begun)

    def delete(self, file_id: int) -> None:
        with self.connect() as connection:
            ask(connection, "DELETE", f"/delete/{file_id}")

    def first_byte_ms(self, file_id: int) -> tuple[float, float]:
        """Return the median time to the first byte of the first and of the last range."""
        first: list[float] = []
        last: list[float] = []
        with self.connect() as connection:
            for _number in range(RANGE_RUNS):
                for times, wanted in ((first, f"0-{RANGE_BYTES - 1}"), (last, f"-{RANGE_BYTES}")):
                    begun = time.perf_counter()
                    connection.request(
                        "GET", f"/download/{file_id}", headers={"Range": f"bytes={wanted}"}
                    )
                    response = connection.getresponse()
                    response.read(1)
                    times.append((time.perf_counter() - begun) * 1000)
                    response.read()
        return median(first), median(last)


def fetch_with_tools(large: LargeFile, file_id: int, folder: Path) -> Figures:
    """Fetch the file with the tools that people use, resuming after a third of it."""
    url = f"{large.url}/download/{file_id}"
    fetched = folder / str(file_id)
    commands = {
        "wget -c": ["wget", "-q", "-c", url],
        "curl -C -": ["curl", "-s", "-f", "-C", "-", "-o", fetched.name, url],
        "aria2c -x8": ["aria2c", "-q", "-x8", "-s8", "-k1M", "--file-allocation=none", url],
    }
    figures: Figures = {}
    for name, command in commands.items():
        if shutil.which(command[0]) is None:
            continue
        fetched.unlink(missing_ok=True)
        if command[0] == "aria2c":
            command = [*command, "-o", fetched.name]
        else:
            copy_beginning(large.source, fetched, large.size // 3)
        begun = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True)
        figures[f"{name}: s"] = round(time.perf_counter() - begun, 1)
        with fetched.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == large.hash
        figures[f"{name}: same SHA-256"] = same
    fetched.unlink(missing_ok=True)
    return figures


def blocks_of(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Return the next `size` bytes of a file, a block at a time."""
    while size and (block := file.read(min(BLOCK, size))):
        size -= len(block)
        yield block


def copy_beginning(source: Path, target: Path, size: int) -> None:
    """Make `target` the first `size` bytes of `source`, as a broken off download would."""
    with source.open("rb") as whole, target.open("wb") as part:
        while size and (block := whole.read(min(BLOCK, size))):
            size -= part.write(block)


def measure_large(large: LargeFile, memory: Memory, folder: Path) -> Figures:
    """Return the figures of one large file."""
    figures: Figures = {"size, bytes": large.size}
    with memory.watched(figures, "form upload"):
        file_id, speed = large.upload(as_form=True)
    figures["form upload: MB/s"] = round(speed)
    large.delete(file_id)
    with memory.watched(figures, "raw upload"):
        file_id, speed = large.upload(as_form=False)
    figures["raw upload: MB/s"] = round(speed)
    large.delete(file_id)
    for work, piece in (("tus upload", large.size), ("tus upload, 8 MiB a piece", 8 * MIB)):
        with memory.watched(figures, work):
            file_id, speed = large.upload_resumably(piece)
        figures[f"{work}: MB/s"] = round(speed)
        if piece == large.size:
            large.delete(file_id)
    with memory.watched(figures, "download"):
        figures["download: MB/s"] = round(large.download(file_id))
    first, last = large.first_byte_ms(file_id)
    figures["first byte of the first range, ms"] = round(first, 2)
    figures["first byte of the last range, ms"] = round(last, 2)
    figures["last : first"] = round(last / first, 2)
    with memory.watched(figures, "tools"):
        figures |= fetch_with_tools(large, file_id, folder)
    large.delete(file_id)
    return figures


def main() -> int:
    """Measure, print the table and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=2 << 30, help="bytes of the large file (2 GiB)")
    parser.add_argument("--url", help="a server that runs already")
    parser.add_argument("--pid", type=int, help="its main process")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="large-file-")))
        url, pid = options.url, options.pid
        if url is None:
            server = stack.enter_context(running_server())
            url, pid = server.url, server.pid
        source = folder / "large.bin"
        large = LargeFile(url.rstrip("/"), source, make_source(source, options.size))
        figures = measure_large(large, Memory(pid), folder)
    if options.json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        print(f"{name:42} {value!s:>14}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
