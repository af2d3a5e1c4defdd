"""The plain design (plain_server.py), run by waitress."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from pathlib import Path

from benchmarks.peers.peer import BENCH_PYTHON, FILL_BYTES, Frame, Peer, installed_version
from files.tests.running_server import BOUNDARY, form_around

SERVER = Path(__file__).with_name("plain_server.py")
PREPARE_S = 60


class Plain(Peer):
    """Flask, SQLAlchemy, one table with a column for the bytes."""

    name = "plain"
    title = "plain Flask + SQLAlchemy"
    does = (
        "hashes (SHA-256), refuses duplicates; holds each file whole in memory; SQLite's defaults, "
        "whose rollback journal syncs before it says yes"
    )
    syncs = True
    # SQLite takes no value above 1,000,000,000 bytes.
    largest = 900 << 20
    list_path = "/files"

    @classmethod
    def version(cls) -> str:
        packages = ("Flask", "SQLAlchemy", "waitress")
        return ", ".join(f"{package} {installed_version(package)}" for package in packages)

    @property
    def database(self) -> Path:
        return self.data / "files.sqlite3"

    def command(self) -> list[str]:
        return [str(BENCH_PYTHON), str(SERVER), str(self.database), str(self.port)]

    def frame(self, name: str, size: int) -> Frame:
        head, tail = form_around(name)
        return Frame(
            f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"Content-Length: {len(head) + size + len(tail)}\r\n\r\n{head.decode()}",
            tail.decode(),
        )

    def path_of(self, name: str, answer: str) -> str:
        return f"/download/{json.loads(answer)['id']}"

    def fill(self, count: int) -> None:
        self.start()  # It makes its table.
        self.stop()
        rows = (self.row(number) for number in range(count))
        with contextlib.closing(sqlite3.connect(self.database)) as database, database:
            database.executemany(
                "INSERT INTO file (name, size, upload_date, mime_type, data, hash)"
                " VALUES (?, ?, '2026-01-01 12:00:00.000000', 'application/octet-stream', ?, ?)",
                rows,
            )

    @staticmethod
    def row(number: int) -> tuple[str, int, bytes, str]:
        data = number.to_bytes(8, "big") * (FILL_BYTES // 8)
        return f"{number:07}.bin", len(data), data, hashlib.sha256(data).hexdigest()
