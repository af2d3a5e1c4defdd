"""Three servers over one database at once: nothing is lost. See test_races.py, too."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from files.tests.consistency import (
    LONG_AGO,
    age,
    database_problems,
    download_problems,
    ownership_problems,
)
from files.tests.fleet import Fleet, running_fleet
from files.tests.running_server import Answer, RunningServer, ask, http_connection, upload
from files.tests.samples import noise
from files.tests.test_races import at_once, counted_totals, kept_totals

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def fleet(prepared_data: Path) -> Iterator[Fleet]:
    with running_fleet(prepared_data) as running:
        yield running


def delete_on(member: RunningServer, file_id: int) -> Answer:
    with contextlib.closing(http_connection(member.port)) as connection:
        return ask(connection, "DELETE", f"/delete/{file_id}")


def test_totals_are_exact_after_uploads_deletes_and_returns(fleet):
    def work(writer: int) -> Counter[tuple[str, int]]:
        """Upload, delete, and upload some of the deleted again, which brings them back."""
        rng, seen = random.Random(writer), Counter[tuple[str, int]]()
        mine: list[tuple[bytes, dict[str, Any]]] = []
        for number in range(25):
            data = noise(rng.choice((300, 5_000, 70_000)), seed=10_000 + 100 * writer + number)
            answer = fleet.upload(f"{writer}-{number}.{rng.choice(('pdf', 'tar'))}", data)
            seen["PUT", answer.status] += 1
            mine.append((data, answer.json()))
            if number % 3 == 2:
                data, file = mine.pop(rng.randrange(len(mine)))
                seen["DELETE", delete_on(rng.choice(fleet.members), file["id"]).status] += 1
                if rng.random() < 0.5:
                    seen["PUT", fleet.upload("back.pdf", data).status] += 1
        return seen

    seen = sum(at_once(12, work), Counter())
    assert set(seen) == {("PUT", 200), ("DELETE", 204)}
    assert sum(seen.values()) > 400
    assert kept_totals(fleet) == counted_totals(fleet)
    types = [answer.json() for answer in fleet.on_each("/api/v1/types/")]
    assert types == [types[0]] * 3


def abandon(fleet: Fleet) -> None:
    """Make contents as of uploads that were cut long ago, each with a chunk."""
    fleet.query(
        """INSERT INTO content (size, home, "key", state, keep_until, created_at)
        WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1000)
        SELECT 3, 'database', '', 'receiving', %s, %s FROM number""",
        *(LONG_AGO, LONG_AGO),
    )
    fleet.query(
        """INSERT INTO chunk (content_id, "offset", size, checksum, data)
        SELECT id, 0, 3, 0, 'abc' FROM content WHERE state = 'receiving'"""
    )


def test_sweeps_of_all_of_them_at_once_take_everything_once(fleet):
    written = [
        fleet.upload(f"kept {n}.bin", noise(4_000, seed=30_000 + n)).json() for n in range(9)
    ]
    abandon(fleet)
    sweeps = [member.begin("sweep", "--json") for member in fleet.members * 2]
    taken = [json.loads(process.communicate(timeout=300)[0]) for process in sweeps]
    assert [process.returncode for process in sweeps] == [0] * len(sweeps)
    # The servers' own sweepers may have helped.
    assert sum(one["contents"] for one in taken) <= 1_000
    state = fleet.query("SELECT COUNT(*) FROM content WHERE state = 'receiving'")
    assert state == [(0,)]
    assert download_problems(fleet, written) == []
    assert ownership_problems(fleet) == []


def test_the_others_go_on_when_one_is_killed_amid_an_upload(fleet):
    victim = fleet.others[0]
    data = noise(30_000_000, seed=40)
    with contextlib.closing(http_connection(victim.port)) as connection:
        connection.putrequest("PUT", "/upload/cut.bin")
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders()
        connection.send(data[:20_000_000])
        kept = [upload_to(member, number) for number, member in enumerate(fleet.members)]
        during = threading.Thread(target=lambda: kept.append(upload_to(fleet.others[1], 10)))
        during.start()
        victim.kill()
        during.join()
        with pytest.raises((OSError, http.client.HTTPException)):
            connection.send(data[20_000_000:])
            connection.getresponse()
    kept += [fleet.upload(f"{seed}.bin", noise(9_000, seed=seed)).json() for seed in range(50, 60)]
    assert download_problems(fleet, kept) == []
    # The same bytes are no duplicate: nobody was told that they are stored.
    again = fleet.upload("cut.bin", data)
    assert (again.status, again.json()["hash"]) == (200, hashlib.sha256(data).hexdigest())
    victim.start()
    assert download_problems(victim, [*kept, again.json()]) == []
    age(fleet)
    fleet.manage("sweep")
    assert database_problems(fleet) == []


def upload_to(member: RunningServer, seed: int) -> dict[str, Any]:
    with contextlib.closing(http_connection(member.port)) as connection:  # This one and no other.
        answer = upload(connection, f"{seed}.bin", noise(2_500_000, seed=40_000 + seed))
    assert answer.status == 200
    file: dict[str, Any] = answer.json()
    return file
