"""The database is there, but cuts connections, hangs, or has no room for more."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from files.tests.consistency import database_problems
from files.tests.database_faults.clients import is_refused_for_now, seconds_until_ready
from files.tests.database_faults.conftest import READY_S
from files.tests.database_servers import SERVERS, DatabaseServer, database_server
from files.tests.live_databases import connect
from files.tests.running_server import Answer, RunningServer, running_server, wait_until

MIB = 1 << 20
# A bound against hanging, not a promise.
BOUND_S = 120.0


class Uploads:
    """Four uploads at a time, until told to stop; those that were not refused."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.answers: list[Answer] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _number in range(4)]

    def __enter__(self) -> Uploads:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._ended.is_set():
            # Refused while it was sent.
            with contextlib.suppress(OSError):
                self.answers.append(self.server.upload("some.bin", os.urandom(MIB)))

    def wrong(self) -> list[Answer]:
        return [one for one in self.answers if one.status != 200 and not is_refused_for_now(one)]


def test_connections_that_the_server_ends_are_replaced(server, database):
    assert server.request("GET", "/files").status == 200
    assert database.cut_connections() > 0
    # Idle ones that were ended are noticed before they are used.
    assert [server.request("GET", "/files").status for _number in range(4)] == [200] * 4
    with Uploads(server) as uploads:
        for _number in range(5):
            time.sleep(0.3)
            database.cut_connections()
    assert uploads.wrong() == []
    assert {one.status for one in uploads.answers} >= {200}
    assert server.request("GET", "/files").status == 200
    assert database_problems(server) == []


def test_a_restart_in_order_is_survived(server, database):
    with Uploads(server) as uploads:
        time.sleep(0.5)
        database.stop()
        database.start()
        assert seconds_until_ready(server, READY_S) < READY_S
    assert uploads.wrong() == []
    stored = sum(one.status == 200 for one in uploads.answers)
    assert len(server.files()) >= stored > 0
    assert database_problems(server) == []


@contextlib.contextmanager
def few_connections(database: DatabaseServer) -> Iterator[None]:
    """Let the server take no more than tests can use up; PostgreSQL's limit is low enough."""
    if database.kind != "mysql":
        yield
        return
    database.query("SET GLOBAL max_connections = 10")
    try:
        yield
    finally:
        database.query("SET GLOBAL max_connections = DEFAULT")


def test_too_many_connections_are_a_503(server, database):
    with few_connections(database):
        database.cut_connections()
        with contextlib.ExitStack() as others:
            with contextlib.suppress(Exception):
                while True:
                    others.enter_context(contextlib.closing(connect(database.url)))
            for path in ("/files", "/readyz", "/api/v1/stats/"):
                assert is_refused_for_now(server.request("GET", path))
            assert is_refused_for_now(server.upload("a.txt", b"a"))
            assert server.request("GET", "/healthz").status == 200
        assert seconds_until_ready(server, READY_S) < READY_S


def test_a_database_that_hangs_keeps_nobody_waiting_for_ever(server, database):
    database.cut_connections()
    # Whoever gets the connection of this one hangs with it; the others get none.
    assert server.request("GET", "/files").status == 200
    database.freeze()
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.request("GET", "/files")))
        for _number in range(20)
    ]
    for thread in threads:
        thread.start()
    assert server.request("GET", "/healthz").status == 200
    wait_until(lambda: len(answers) > 10, BOUND_S)
    assert all(is_refused_for_now(one) for one in answers)
    database.thaw()
    for thread in threads:
        thread.join(BOUND_S)
    assert len(answers) == len(threads)
    assert all(one.status == 200 or is_refused_for_now(one) for one in answers)
    assert seconds_until_ready(server, READY_S) < READY_S


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Make a file system of 400 MB, in memory; few may, and a container's root may not."""
    # pytest's own folders are closed to other accounts.
    with tempfile.TemporaryDirectory(prefix="small-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", folder]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("about a file system that may not be mounted here")
        Path(folder).chmod(0o755)
        yield Path(folder)
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.__name__)
def test_a_full_disk_under_the_database_is_told_and_survived(small_disk, kind):
    with (
        database_server(kind, small_disk / "data") as database,
        running_server("--workers", "1", DATABASE_URL=database.url) as server,
    ):
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - 50 * MIB))
        kept = {}
        while True:
            data = os.urandom(6 * MIB)
            answer = server.upload("a.bin", data)
            if answer.status != 200:
                break
            kept[answer.json()["id"]] = data
        # MariaDB gives up altogether where its tables cannot grow.
        assert answer.status == 507 or is_refused_for_now(answer)
        ballast.unlink()
        if not database.pids:
            database.start()
        assert seconds_until_ready(server, READY_S) < READY_S
        assert {file["id"] for file in server.files()} == kept.keys()
        for file_id, data in kept.items():
            assert server.request("GET", f"/download/{file_id}").body == data
        assert server.upload("a.bin", os.urandom(6 * MIB)).status == 200
        assert database_problems(server) == []
