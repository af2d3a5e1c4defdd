"""Many clients at once, over HTTP, with a real server: each promise holds for all of them."""

import hashlib
import http.client
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from files.tests.consistency import (
    LONG_AGO,
    age,
    database_problems,
    download_problems,
    ownership_problems,
)
from files.tests.fleet import running_fleet
from files.tests.running_server import Answer, RunningServer, ask, running_server, upload
from files.tests.samples import noise

pytestmark = pytest.mark.live

T = TypeVar("T")
ROUNDS = 5
IDENTICAL = 16
WRITERS, UPLOADS_EACH = 32, 15
SUFFIXES = ("pdf", "jpg", "tar", "")
# Bytes; a batch of chunks, and several.
SIZES_BESIDE = (*[100_000] * 9, 20_000_000)
ABANDONED = 2_100  # contents, more than one page or fetch of them


@pytest.fixture(params=["one", "three"])
def any_server(request: pytest.FixtureRequest, prepared_data: Path) -> Iterator[RunningServer]:
    """Start a server of two workers, or three servers over one database, each asked in turn."""
    if request.param == "one":
        started = running_server("--workers", "2", prepared=prepared_data)
    else:
        started = running_fleet(prepared_data)
    with started as running:
        yield running


def at_once(count: int, call: Callable[[int], T]) -> list[T]:
    """Return what `call(0)`, `call(1)` … return, all begun at the same moment."""
    barrier = threading.Barrier(count)

    def run(number: int) -> T:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def upload_identical(server: RunningServer, data: bytes) -> list[Answer]:
    """Upload the same bytes from many clients, every other one with a form."""

    def one(number: int) -> Answer:
        return server.upload(f"copy {number}.bin", data, as_form=number % 2 == 1)

    return at_once(IDENTICAL, one)


def upload_distinct(server: RunningServer) -> list[Answer]:
    """Upload different files from many clients, each one after the other."""

    def write(writer: int) -> list[Answer]:
        with server.connect() as connection:
            return [
                upload(
                    connection,
                    f"{writer}-{number}.{SUFFIXES[number % len(SUFFIXES)]}".removesuffix("."),
                    noise(200 + 997 * number, seed=writer * 1000 + number),
                    as_form=writer % 2 == 1,
                )
                for number in range(UPLOADS_EACH)
            ]

    return [answer for answers in at_once(WRITERS, write) for answer in answers]


def abandon(server: RunningServer, count: int) -> None:
    """Make `count` contents as of uploads that were cut long ago, every tenth with a chunk."""
    columns = 'size, home, "key", state, keep_until, created_at'
    rows = ", ".join(["(3, 'database', '', 'receiving', %s, %s)"] * count)
    server.query(f"INSERT INTO content ({columns}) VALUES {rows}", *[LONG_AGO] * (2 * count))  # noqa: S608
    server.query(
        """INSERT INTO chunk (content_id, "offset", size, checksum, data)
        SELECT id, 0, 3, 0, 'abc' FROM content WHERE id % 10 = 0"""
    )


def delete(server: RunningServer, file_id: int, _number: int) -> Answer:
    return server.request("DELETE", f"/delete/{file_id}")


def kept_totals(server: RunningServer) -> dict[str, tuple[int, int]]:
    """Return suffix → (files, bytes) as the table of totals says."""
    rows = server.query(
        "SELECT suffix, SUM(count), SUM(bytes) FROM total WHERE suffix IS NOT NULL GROUP BY suffix"
    )
    return {suffix: (count, size) for suffix, count, size in rows if count or size}


def counted_totals(server: RunningServer) -> dict[str, tuple[int, int]]:
    """Return suffix → (files, bytes) as counted in the list."""
    totals: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for file in server.files():
        count, size = totals[file["suffix"]]
        totals[file["suffix"]] = count + 1, size + file["size"]
    return dict(totals)


def totals_on_page(server: RunningServer) -> dict[str, int]:
    """Return suffix → files as the headings of the groups say."""
    page = server.request("GET", "/").body.decode()
    found = re.findall(r'data-group="(\w*)".*?([\d,]+) files? ·', page, re.DOTALL)
    return {suffix: int(count.replace(",", "")) for suffix, count in found}


# In the row, in one chunk, and in several batches of chunks.
@pytest.mark.parametrize(("size", "rounds"), [(1_000, ROUNDS), (300_000, ROUNDS), (9_000_000, 2)])
def test_one_of_sixteen_identical_uploads_wins(any_server, size, rounds):
    for number in range(rounds):
        answers = upload_identical(any_server, noise(size, seed=number))
        assert Counter(answer.status for answer in answers) == {200: 1, 409: IDENTICAL - 1}
        winner = next(answer.json() for answer in answers if answer.status == 200)
        for answer in answers:
            if answer.status == 409:
                assert answer.json()["existing"]["id"] == winner["id"]
    assert len(any_server.files()) == rounds
    assert kept_totals(any_server) == counted_totals(any_server)


def test_duplicates_take_nothing_from_uploads_beside_them(server):
    known = [noise(size, seed=number) for number, size in enumerate(SIZES_BESIDE)]
    stored = [server.upload("known.bin", data).json() for data in known]

    def send(client: int) -> Counter[int]:
        """Send what is there, or what nobody else has; each client begins elsewhere."""
        seed, samples = 100 * (client + 1), known
        if client % 2 == 0:
            samples = [noise(len(data), seed=seed + number) for number, data in enumerate(known)]
        answers = [
            server.upload("beside.bin", data) for data in samples[client:] + samples[:client]
        ]
        stored.extend(answer.json() for answer in answers if answer.status == 200)
        return Counter(answer.status for answer in answers)

    answers = sum(at_once(8, send), Counter())
    assert answers == {200: 4 * len(SIZES_BESIDE), 409: 4 * len(SIZES_BESIDE)}
    assert ownership_problems(server) == []
    age(server)
    server.manage("sweep")
    assert len(server.files()) == len(stored)
    assert download_problems(server, stored) == []
    assert database_problems(server) == []


def test_a_long_sweep_goes_on_while_others_write(prepared_data):
    # Not "full": thousands of transactions would wait for the disk.
    with running_server("--workers", "2", prepared=prepared_data, durability="normal") as server:
        abandon(server, ABANDONED)
        written: list[dict[str, Any]] = []
        with server.begin("sweep") as sweep, server.connect() as connection:
            while sweep.poll() is None:
                data = noise(3_000, seed=len(written))
                written.append(upload(connection, "meanwhile.bin", data).json())
                time.sleep(0.01)  # The sweep shall also get on.
        assert sweep.returncode == 0
        assert len(written) > 10
        # The server's own sweeper may have helped.
        assert server.query("SELECT COUNT(*) FROM content") == [(len(written),)]
        assert download_problems(server, written) == []
        assert ownership_problems(server) + database_problems(server) == []


def test_all_of_480_uploads_succeed_and_are_counted(any_server):
    answers = upload_distinct(any_server)
    assert Counter(answer.status for answer in answers) == {200: WRITERS * UPLOADS_EACH}
    assert {answer.json()["id"] for answer in answers} == {
        file["id"] for file in any_server.files()
    }
    counted = counted_totals(any_server)
    assert sum(count for count, _size in counted.values()) == WRITERS * UPLOADS_EACH
    assert kept_totals(any_server) == counted
    assert totals_on_page(any_server) == {suffix: count for suffix, (count, _) in counted.items()}


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_one_of_eight_deletes_wins(any_server, size):
    for number in range(ROUNDS):
        stored = any_server.upload("gone.bin", noise(size, seed=number)).json()

        answers = at_once(8, partial(delete, any_server, stored["id"]))
        assert Counter(answer.status for answer in answers) == {204: 1, 404: 7}
    assert any_server.files() == []
    assert kept_totals(any_server) == {}


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_the_same_bytes_come_and_go(any_server, size):
    data = noise(size)

    def come_and_go(_number: int) -> Counter[tuple[str, int]]:
        seen: Counter[tuple[str, int]] = Counter()
        with any_server.connect() as connection:
            for _count in range(25):
                answer = upload(connection, "again.bin", data)
                seen["PUT", answer.status] += 1
                file = answer.json() if answer.status == 200 else answer.json().get("existing")
                if file:
                    gone = ask(connection, "DELETE", f"/delete/{file['id']}")
                    seen["DELETE", gone.status] += 1
        return seen

    seen = sum(at_once(6, come_and_go), Counter())
    # 503: what was in the way is gone already; the client may just try again.
    assert {status for method, status in seen if method == "PUT"} <= {200, 409, 503}, seen
    assert {status for method, status in seen if method == "DELETE"} <= {204, 404}, seen
    assert seen["PUT", 200] - seen["DELETE", 204] == len(any_server.files())
    assert kept_totals(any_server) == counted_totals(any_server)


def test_a_running_download_outlives_its_file(server):
    data = noise(40_000_000)
    stored = server.upload("long.bin", data).json()
    with server.connect() as connection:
        connection.request("GET", f"/download/{stored['id']}")
        response = connection.getresponse()
        first = response.read(1 << 20)
        assert server.request("DELETE", f"/delete/{stored['id']}").status == 204
        assert server.request("GET", f"/download/{stored['id']}").status == 404
        server.manage("sweep")
        rest = response.read()
    assert hashlib.sha256(first + rest).hexdigest() == stored["hash"]
    assert len(first + rest) == len(data)


def test_the_same_bytes_come_back_while_the_old_ones_are_being_read(server):
    data = noise(20_000_000)
    before = server.upload("old.bin", data).json()
    with server.connect() as connection:
        connection.request("GET", f"/download/{before['id']}")
        response = connection.getresponse()
        head = response.read(1000)
        assert server.request("DELETE", f"/delete/{before['id']}").status == 204
        after = server.upload("new.bin", data)
        assert after.status == 200
        assert head + response.read() == data
    assert server.request("GET", f"/download/{after.json()['id']}").body == data


def test_a_broken_off_download_holds_nothing_up(server):
    stored = server.upload("long.bin", noise(20_000_000)).json()

    def break_off(_number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", f"/download/{stored['id']}")
        connection.getresponse().read(1000)
        connection.close()

    at_once(16, break_off)
    assert server.upload("next.bin", b"next").status == 200
