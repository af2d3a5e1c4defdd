"""The database is killed in the middle of a transfer."""

from __future__ import annotations

import json
import random

import pytest

from files.tests.consistency import age, database_problems
from files.tests.database_faults.clients import (
    SlowDownload,
    SlowUpload,
    is_refused_for_now,
    seconds_until_ready,
)
from files.tests.database_faults.conftest import READY_S
from files.tests.database_servers import DatabaseServer
from files.tests.running_server import RunningServer, ask, wait_until

MIB = 1 << 20
DATA = random.Random(4).randbytes(40 * MIB)


def has_received(server: RunningServer, size: int) -> bool:
    rows = server.query("SELECT MAX(size) FROM content WHERE state = 'receiving'")
    return bool(rows[0][0] and rows[0][0] >= size)


@pytest.mark.parametrize("as_form", [False, True], ids=["raw", "form"])
def test_an_upload_that_loses_its_database_is_refused_and_leaves_nothing(server, database, as_form):
    upload = SlowUpload(server, DATA, as_form=as_form)
    upload.send(20 * MIB)
    wait_until(lambda: has_received(server, 8 * MIB), 30)
    database.kill()
    answer = upload.finish()
    assert answer is None or is_refused_for_now(answer)
    database.start()
    assert seconds_until_ready(server, READY_S) < READY_S
    assert server.files() == []

    stored = server.upload("slow.bin", DATA, as_form=as_form)
    assert stored.status == 200
    file = stored.json()
    assert [one["id"] for one in server.files()] == [file["id"]]
    assert server.request("GET", f"/download/{file['id']}").body == DATA
    # What had come before is removed once it is old enough.
    age(server)
    server.manage("sweep")
    assert server.query("SELECT id FROM content WHERE state = 'receiving'") == []
    assert database_problems(server) == []


def test_a_download_that_loses_its_database_breaks_off_and_is_resumed(server, database):
    file = server.upload("large.bin", DATA).json()
    path = f"/download/{file['id']}"
    download = SlowDownload(server, path)
    assert download.status == 200
    begin = download.read(MIB)
    database.kill()
    rest, is_whole = download.finish()
    got = begin + rest
    assert not is_whole
    assert len(got) < len(DATA) and DATA.startswith(got)
    assert is_refused_for_now(server.request("GET", path))

    database.start()
    assert seconds_until_ready(server, READY_S) < READY_S
    headers = {"Range": f"bytes={len(got)}-", "If-Range": f'"{file["hash"]}"'}
    with server.connect() as connection:
        answer = ask(connection, "GET", path, headers=headers)
    assert answer.status == 206
    assert got + answer.body == DATA


def test_a_list_that_loses_its_database_is_no_json(server, database):
    copy_many(server, database, 6_000)
    listing = SlowDownload(server, "/files")
    assert listing.status == 200
    begin = listing.read(1000)
    database.kill()
    # The server ends what has no length as if it were whole; its last bracket is missing.
    rest, _is_whole = listing.finish()
    with pytest.raises(json.JSONDecodeError):
        json.loads(begin + rest)
    database.start()
    assert seconds_until_ready(server, READY_S) < READY_S
    server.query("DELETE FROM file WHERE name LIKE %s", "copy%")


def copy_many(server: RunningServer, database: DatabaseServer, amount: int) -> None:
    """Make rows of files, with names so long that the list is."""
    file = server.upload("one.txt", b"one").json()
    numbers = {
        "mysql": f"(SELECT seq AS n FROM seq_1_to_{amount}) AS numbers",  # noqa: S608
        "postgres": f"generate_series(1, {amount}) AS n",
    }[database.kind]
    columns = [
        name
        for (name,) in server.query(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'file'"
            " AND table_schema IN ('fileserver', 'public') AND column_name NOT IN"
            " ('id', 'name', 'hash')"
        )
    ]
    kept = ", ".join(f'"{name}"' for name in columns)
    server.query(
        f"INSERT INTO file (name, hash, {kept}) SELECT CONCAT('copy ', n, REPEAT('x', 200)),"  # noqa: S608
        f" CONCAT(SUBSTRING(hash, 1, 58), 100000 + n), {kept} FROM file, {numbers} WHERE id = %s",
        file["id"],
    )
