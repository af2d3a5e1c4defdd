"""Measures the bytes on disk per byte stored, for small, mixed and large files.

    python benchmarks/disk_space.py [--durability full] [--json]

Each set of files is uploaded by eight clients to a server of its own with an empty database;
when it has ended, the size of the database's file is taken. Also tells how fast that went.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from files.tests.running_server import RunningServer, prepare, running_server, upload  # noqa: E402

KIB, MIB = 1 << 10, 1 << 20
CLIENTS = 8
NOISE = random.Random(0).randbytes(16 * MIB)


def sets_of_files() -> dict[str, list[int]]:
    """Return the sizes, in bytes, of the files of each set."""
    chance = random.Random(0)
    # Median 60 kB, mean 1.3 MB: most files are small, most bytes are in large ones.
    mixed = [min(16 + int(chance.lognormvariate(11, 2.5)), 64 * MIB) for _number in range(500)]
    return {
        "2000 of 1 KiB": [KIB] * 2000,
        "2000 of 4 KiB": [4 * KIB] * 2000,
        "2000 of 10 KiB": [10 * KIB] * 2000,
        "500 of mixed sizes": mixed,
        "8 of 64 MiB": [64 * MIB] * 8,
    }


def bytes_of(number: int, size: int) -> bytes:
    """Return `size` bytes that no other number gives."""
    pattern = number.to_bytes(8, "big") + NOISE[: size - 8]
    return (pattern * (size // len(pattern) + 1))[:size]


def store(server: RunningServer, sizes: list[int]) -> None:
    """Upload files of these sizes, several at a time."""

    def store_part(first: int) -> None:
        with server.connect() as connection:
            for number in range(first, len(sizes), CLIENTS):
                answer = upload(connection, f"{number}.bin", bytes_of(number, sizes[number]))
                if answer.status != 200:
                    raise SystemExit(f"The upload failed: {answer.status} {answer.body!r}")

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(store_part, range(CLIENTS)))


def measure(sizes: list[int], prepared: Path, durability: str) -> dict[str, float]:
    """Store the files on a new server and return the figures."""
    with running_server(prepared=prepared, durability=durability) as server:
        empty = server.database.stat().st_size
        begun = time.perf_counter()
        store(server, sizes)
        took_s = time.perf_counter() - begun
        server.stop()
        server.query("PRAGMA wal_checkpoint(TRUNCATE)")
        taken = server.database.stat().st_size - empty
    return {
        "bytes on disk per byte": round(taken / sum(sizes), 3),
        "bytes more per file": round((taken - sum(sizes)) / len(sizes)),
        "files/s": round(len(sizes) / took_s),
        "MB/s": round(sum(sizes) / 1e6 / took_s, 1),
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--durability", choices=("full", "normal"), default="full")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="disk-space-") as folder:
        prepared = Path(folder, "prepared")
        prepare(prepared)
        figures = {
            name: measure(sizes, prepared, options.durability)
            for name, sizes in sets_of_files().items()
        }
    if options.json:
        print(json.dumps(figures))
        return
    for name, one in figures.items():
        print(f"{name:20}" + "".join(f"{value:>10} {what}" for what, value in one.items()))


if __name__ == "__main__":
    main()
