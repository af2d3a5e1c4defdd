"""Sweeps against clients that come back at the last moment: an upload goes on whole, or is gone."""

from __future__ import annotations

import contextlib
import http.client
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from files.tests.consistency import (
    age,
    database_problems,
    download_problems,
    ownership_problems,
)
from files.tests.doors import Ask, Refused, server_asking
from files.tests.live_databases import kind_of
from files.tests.running_server import RunningServer, running_server
from files.tests.samples import noise
from files.tests.test_races import at_once, counted_totals, kept_totals
from files.tests.tus_doors import VERSION, asked, created, patched

pytestmark = pytest.mark.live

ROUNDS = 6
CLIENTS = 8
# The rest of an upload that is in its row, in one batch, and in two, some of which is written
# while the rest still comes.
SIZES = (2_000, 600_000, 18_000_000)
# Seconds from the beginning of the rest to the moment at which the upload expires.
FIRST_S, LAST_S = -0.05, 1.0


@pytest.fixture
def swept_server(prepared_data: Path) -> Iterator[RunningServer]:
    """Start a server of two workers with two sweepers that never rest, besides its own."""
    with (
        running_server("--workers", "2", prepared=prepared_data) as server,
        contextlib.ExitStack() as stack,
    ):
        for _number in range(2):
            sweeper = stack.enter_context(server.begin("sweep", "--every", "0.05"))
            stack.callback(sweeper.kill)
        yield server


def begin(ask: Ask, data: bytes, name: str) -> str:
    """Bring half of an upload, and return where it is."""
    length = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
    path = created(ask, length)
    patched(ask, path, 0, data[: len(data) // 2])
    return path


def expire(server: RunningServer, path: str, in_s: float) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=in_s)
    text = f"{moment:%Y-%m-%d %H:%M:%S.%f}"
    if kind_of(server.database_url) == "postgres":
        text += "+00"
    upload_id = path.rstrip("/").rpartition("/")[2]
    server.query("UPDATE upload SET expires_at = %s WHERE id = %s", text, upload_id)


def finish(ask: Ask, path: str, data: bytes) -> int | None:
    """Bring the rest; return the file's id, None where the upload is gone."""
    half = len(data) // 2
    try:
        assert patched(ask, path, half, data[half:]) == len(data)
        told = asked(ask, "GET", path).json()
    except (Refused, OSError, http.client.HTTPException) as error:
        # A long body is cut off when its answer is there; and it is a conflict where the
        # upload was taken away in the middle of it.
        if isinstance(error, Refused):
            assert error.result.code in {"not_found", "upload_expired", "upload_conflict"}
        assert ask("HEAD", path, b"", VERSION).status in {404, 410}
        return None
    assert (told["state"], told["offset"]) == ("stored", len(data))
    file_id: int = told["file"]["id"]
    return file_id


def test_an_upload_goes_on_whole_or_is_gone(swept_server):
    server, ask = swept_server, server_asking(swept_server)
    ends = Counter[bool]()
    for number in range(ROUNDS):
        size = SIZES[number % len(SIZES)]
        data = [noise(size, seed=CLIENTS * number + client) for client in range(CLIENTS)]
        paths = [begin(ask, some, "bmFtZQ==") for some in data]

        def come_back(client: int, data: list[bytes] = data, paths: list[str] = paths) -> bool:
            step = (LAST_S - FIRST_S) / CLIENTS
            expire(server, paths[client], FIRST_S + client * step)
            return finish(ask, paths[client], data[client]) is not None

        ends.update(at_once(CLIENTS, come_back))
    files = server.files()
    # Else nothing was tried.
    assert 0 < ends[True] == len(files) < ROUNDS * CLIENTS
    assert kept_totals(server) == counted_totals(server)
    assert ownership_problems(server) == []
    assert download_problems(server, files) == []
    age(server)
    server.manage("sweep")
    assert database_problems(server) == []
