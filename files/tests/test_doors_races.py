"""The same bytes through every door at once, with real servers: one file, and all know it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from files.tests.consistency import (
    age,
    database_problems,
    download_problems,
    ownership_problems,
)
from files.tests.doors import (
    Ask,
    Result,
    Sent,
    server_asking,
    through_api,
    through_form,
    through_put,
    told_by_import,
)
from files.tests.fleet import running_fleet
from files.tests.running_server import MANAGE, Answer, RunningServer, running_server
from files.tests.samples import noise
from files.tests.test_races import at_once, counted_totals, kept_totals
from files.tests.tus_doors import (
    through_tus,
    through_tus_at_once,
    through_tus_deferred,
    through_tus_parts,
    told,
)

pytestmark = pytest.mark.live

ROUNDS = 20
# In the row, in one chunk; every tenth round in more than a batch of them.
SIZES = [*[1_000, 300_000] * 4, 1_000, 9_000_000]
BY_REQUESTS = [
    *[through_form, through_put, through_api] * 2,
    *[through_tus] * 3,
    *[through_tus_at_once, through_tus_deferred],
    *[through_tus_parts] * 3,
]
IMPORTERS = 2
IDENTICAL = len(BY_REQUESTS) + IMPORTERS
Doors = list[Callable[[Sent], Result]]
# Started once and told a path at a time: a process takes longer to start than the others to end.
IMPORTER = """
import sys
from django.core.management import call_command
for line in sys.stdin:
    try:
        call_command("import_files", line.strip(), "--on-duplicate", "fail", "--json", verbosity=0)
    except SystemExit:
        pass
    sys.stdout.flush()
"""


@pytest.fixture(params=["one", "three"])
def any_server(request: pytest.FixtureRequest, prepared_data: Path) -> Iterator[RunningServer]:
    """Start a server of two workers, or three servers over one database, each asked in turn."""
    if request.param == "one":
        started = running_server("--workers", "2", prepared=prepared_data)
    else:
        started = running_fleet(prepared_data)
    with started as running:
        yield running


@contextlib.contextmanager
def importer(server: RunningServer, folder: Path) -> Iterator[Callable[[Sent], Result]]:
    """Start a process that imports beside the server, and yield what gives it a file."""
    folder.mkdir()
    process = subprocess.Popen(
        [*MANAGE, "shell", "-v0", "-c", IMPORTER],
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def take(sent: Sent) -> Result:
        path = folder / sent.name
        path.write_bytes(sent.data)
        assert process.stdin is not None
        assert process.stdout is not None
        print(path, file=process.stdin, flush=True)
        return told_by_import(json.loads(process.stdout.readline())) or Result()

    try:
        yield take
    finally:
        process.communicate(timeout=60)


def by_requests(ask: Ask, send: Callable[[Ask, Sent], Result]) -> Callable[[Sent], Result]:
    return lambda sent: told(send, ask, sent)


class Gate:
    """Where all wait with the request that brings the last bytes, so that any may be first.

    Without it none that needs several requests ever is.
    """

    def __init__(self, ask: Ask, size: int, count: int) -> None:
        self._ask, self._size = ask, size
        self._barrier = threading.Barrier(count, timeout=60)
        self._here = threading.local()

    def wait(self) -> None:
        self._barrier.wait()

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request, the last one when all others are about to."""
        end = int(headers.get("Upload-Offset", 0)) + len(body)
        is_last = end >= self._size or headers.get("Upload-Concat", "").startswith("final;")
        if is_last and not hasattr(self._here, "has_waited"):
            self._here.has_waited = True
            self.wait()
        return self._ask(method, path, body, headers)


def test_the_same_bytes_through_all_doors_at_once_are_one_file(any_server, tmp_path):
    ask = server_asking(any_server)
    with contextlib.ExitStack() as stack:
        importers = [
            stack.enter_context(importer(any_server, tmp_path / str(number)))
            for number in range(IMPORTERS)
        ]
        for number in range(ROUNDS):
            data = noise(SIZES[number % len(SIZES)], seed=number)
            gate = Gate(ask, len(data), IDENTICAL)
            doors = [by_requests(gate.ask, send) for send in BY_REQUESTS]
            doors += [behind(gate, take) for take in importers]

            def send(at: int, doors: Doors = doors, data: bytes = data) -> Result:
                return doors[at](Sent(f"copy {at}.bin", data))

            assert_one_won(at_once(len(doors), send), number)
    files = any_server.files()
    assert len(files) == ROUNDS
    assert kept_totals(any_server) == counted_totals(any_server)
    assert ownership_problems(any_server) == []
    age(any_server)
    any_server.manage("sweep")
    assert database_problems(any_server) == []
    assert any_server.query("SELECT COUNT(*) FROM upload") == [(0,)]
    assert download_problems(any_server, files) == []


def behind(gate: Gate, take: Callable[[Sent], Result]) -> Callable[[Sent], Result]:
    def send(sent: Sent) -> Result:
        gate.wait()
        return take(sent)

    return send


def assert_one_won(results: list[Result], number: int) -> None:
    """Assert that one is the file of the round, and that all others name it."""
    assert Counter(result.code for result in results) == {"": 1, "duplicate": len(results) - 1}
    named = {result.existing_id or result.file_id for result in results}
    # The import does not tell which file it made.
    assert len(named - {None}) == 1, f"round {number}: {results}"
