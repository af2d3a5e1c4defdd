"""Clients that are killed, or whose server is, go on at another server and arrive all the same.

tus-js-client is tried in test_browser_resumable.py; benchmarks/resumable.py has all of them and
many more kills.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.tus_clients import clients
from benchmarks.tus_clients.aftermath import aftermath
from benchmarks.tus_clients.servers import Wanted, ports_of
from benchmarks.tus_clients.sources import Sources
from benchmarks.tus_clients.uploads import ENDPOINT, Uploads
from benchmarks.tus_clients.watcher import Watcher
from files.tests.fleet import Fleet, running_fleet
from files.tests.request_dealer import RequestDealer
from files.tests.running_server import Answer, RunningServer, ask, http_connection
from files.tests.samples import noise

MIB = 1 << 20
CLIENT_S = 60
# More than fits between a client and a server: what a killed client sent still arrives.
SIZE = 32 * MIB + 1
CHUNK = 5 * MIB
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

Start = Callable[[RequestDealer, Path], "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def fleet(prepared_data: Path) -> Iterator[Fleet]:
    with running_fleet(prepared_data) as running:
        yield running


@pytest.fixture
def dealer(fleet: Fleet) -> Iterator[RequestDealer]:
    with RequestDealer(lambda: ports_of(fleet)) as running:
        yield running


@pytest.fixture
def source(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a file that no other test uploads."""
    path = tmp_path / "source.bin"
    name = hashlib.sha256(request.node.name.encode()).digest()
    path.write_bytes(noise(SIZE, seed=int.from_bytes(name[:4], "big")))
    return path


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def start_tuspy(dealer: RequestDealer, source: Path) -> subprocess.Popen[str]:
    program, storage = clients.HERE / "tuspy_client.py", source.with_name("urls.json")
    command = [sys.executable, program, dealer.url + ENDPOINT, source, storage]
    return start([*map(str, command), "--chunk-size", str(CHUNK), "--checksum"])


def start_curl(framing: str) -> Start:
    def begin(dealer: RequestDealer, source: Path) -> subprocess.Popen[str]:
        program, state = clients.HERE / "upload.sh", source.with_name("address")
        command = [program, dealer.url + ENDPOINT, source, state, framing]
        return start([*map(str, command)])

    return begin


CLIENTS = pytest.mark.parametrize(
    "start_client",
    [start_tuspy, start_curl("length"), start_curl("chunked"), start_curl("deferred")],
    ids=["tuspy", "curl", "curl-chunked", "curl-deferred"],
)


TWO_CLIENTS = pytest.mark.parametrize(
    "start_client", [start_tuspy, start_curl("chunked")], ids=["tuspy", "curl"]
)


def kill(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    """Send a signal to a client and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def address_told_by(process: subprocess.Popen[str]) -> str:
    """Wait for a client that is to succeed, and return the path of its upload."""
    output, errors = process.communicate(timeout=CLIENT_S)
    assert process.returncode == 0, errors
    return str("/" + output.split()[-1].split("/", 3)[3])


def check_arrived(fleet: Fleet, address: str, source: Path) -> None:
    """Assert that any server has the file, whole and once."""
    data = source.read_bytes()
    told = fleet.request("GET", address).json()
    assert (told["state"], told["offset"], told["size"]) == ("stored", len(data), len(data))
    hash = hashlib.sha256(data).hexdigest()
    file_id = told["file"]["id"]
    assert [one["id"] for one in fleet.files() if one["hash"] == hash] == [file_id]
    for answer in fleet.on_each(f"/download/{file_id}"):
        assert (answer.status, answer.body == data) == (200, True)


def check_not_there(fleet: Fleet, source: Path) -> None:
    hash = hashlib.sha256(source.read_bytes()).hexdigest()
    assert hash not in {one["hash"] for one in fleet.files()}


@CLIENTS
def test_a_killed_client_goes_on_at_another_server(fleet, dealer, source, start_client):
    begun: list[subprocess.Popen[str]] = []
    dealer.strike(lambda: kill(begun[0]), in_bytes=SIZE // 3)
    begun.append(start_client(dealer, source))
    begun[0].communicate(timeout=CLIENT_S)
    assert begun[0].returncode == -signal.SIGKILL
    check_not_there(fleet, source)
    check_arrived(fleet, address_told_by(start_client(dealer, source)), source)
    assert dealer.dealt.resumed >= 1
    assert dealer.dealt.elsewhere == dealer.dealt.requests
    # Else it had begun anew. A piece with a checksum is kept whole or not at all.
    assert dealer.dealt.body_bytes < SIZE + 2 * CHUNK


@TWO_CLIENTS
def test_a_client_goes_on_when_its_server_is_killed(fleet, dealer, source, start_client):
    killed: list[RunningServer] = []

    def kill_server() -> None:
        killed.extend(one for one in fleet.members if one.port == dealer.port_of_last)
        RunningServer.kill(killed[0])

    dealer.strike(kill_server, in_bytes=SIZE // 2)
    try:
        address = address_told_by(start_client(dealer, source))
    finally:
        RunningServer.start(killed[0])
    check_arrived(fleet, address, source)
    assert killed
    assert dealer.dealt.body_bytes < 2 * SIZE


def test_a_client_that_is_killed_before_it_hears_of_its_success_finds_the_file(
    fleet, dealer, source
):
    begun: list[subprocess.Popen[str]] = []
    pieces = -(-SIZE // CHUNK)
    dealer.strike(lambda: kill(begun[0]), in_answers=1 + pieces)
    begun.append(start_tuspy(dealer, source))
    begun[0].communicate(timeout=CLIENT_S)
    assert (begun[0].returncode, dealer.dealt.body_bytes) == (-signal.SIGKILL, SIZE)
    check_arrived(fleet, address_told_by(start_tuspy(dealer, source)), source)
    assert dealer.dealt.body_bytes == SIZE


@TWO_CLIENTS
def test_a_client_that_was_frozen_comes_too_late_and_spoils_nothing(
    fleet, dealer, source, start_client
):
    begun: list[subprocess.Popen[str]] = []
    dealer.strike(lambda: kill(begun[0], signal.SIGSTOP), in_bytes=SIZE // 2)
    begun.append(start_client(dealer, source))
    os.waitid(os.P_PID, begun[0].pid, os.WSTOPPED)
    address = address_told_by(start_client(dealer, source))
    check_arrived(fleet, address, source)
    kill(begun[0], signal.SIGCONT)
    assert address_told_by(begun[0]) == address
    check_arrived(fleet, address, source)


def send(
    server: RunningServer, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> Answer:
    with contextlib.closing(http_connection(server.port)) as connection:
        return ask(connection, method, path, body, headers)


def partial_uploads(fleet: Fleet, data: bytes, count: int) -> list[str]:
    """Send the parts of a file, each to another server than the one where it was begun."""
    addresses = []
    size = -(-len(data) // count)
    for number in range(count):
        part = data[number * size : (number + 1) * size]
        asked = TUS | {"Upload-Length": str(len(part)), "Upload-Concat": "partial"}
        here, there = (fleet.members[(number + step) % len(fleet.members)] for step in range(2))
        address = send(here, "POST", ENDPOINT, asked).headers["Location"]
        answer = send(there, "PATCH", address, PIECE | {"Upload-Offset": "0"}, part)
        assert answer.status == 204, answer.body
        addresses.append(address)
    return addresses


def test_parts_are_put_together_though_a_server_is_killed_while_it_does_so(fleet, source):
    parts = partial_uploads(fleet, source.read_bytes(), 3)
    check_not_there(fleet, source)
    asked = TUS | {"Upload-Concat": f"final;{' '.join(parts)}"}
    first, second = fleet.members[1:]
    with contextlib.closing(http_connection(first.port)) as connection:
        connection.request("POST", ENDPOINT, headers=asked)
        address = connection.getresponse().headers["Location"]
        RunningServer.kill(first)
    try:
        again = send(second, "POST", ENDPOINT, asked)
    finally:
        RunningServer.start(first)
    assert (again.status, again.headers["Location"]) == (201, address)
    check_arrived(fleet, address, source)


def test_all_arrives_though_clients_and_servers_are_killed_at_random(prepared_data, tmp_path):
    chance = random.Random(1)
    with running_fleet(prepared_data) as fleet:
        sources = Sources(tmp_path, chance, largest=16 * MIB)
        chosen = [one for one in clients.CLIENTS if one.name in ("tuspy", "curl")]
        wanted = Wanted(uploads=6, client_kills=6, server_kills=2)
        uploads = Uploads(fleet, sources, chosen, wanted, tmp_path, tmp_path, chance)
        told: list[Any] = []
        with Watcher(fleet, sources) as watcher:
            uploads.run(3, told.append)
        problems = [uploads.problems, watcher.problems, *(one.problems for one in uploads.done)]
        assert [one for one in problems if one] == []
        assert aftermath(fleet, sources, uploads.done) == []
    assert len(told) >= 6
    assert sum(one.kills for one in uploads.done) >= 6
    assert uploads.servers_killed >= 2
    assert watcher.looks
