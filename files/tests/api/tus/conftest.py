from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from files.tests.api.tus.raw import TusClient
from files.tests.running_server import RunningServer, running_server

PREFIX = "/behind/it"
LIMIT = 1_000_000  # bytes


@pytest.fixture(scope="package")
def tus_server(prepared_data: Path) -> Iterator[RunningServer]:
    """Start a server for all tests here; what they upload is theirs alone by random bytes."""
    with running_server("--workers", "2", prepared=prepared_data) as running:
        yield running


@pytest.fixture
def tus(tus_server: RunningServer) -> TusClient:
    return TusClient(tus_server.port)


@pytest.fixture(scope="package")
def published(prepared_data: Path) -> Iterator[TusClient]:
    """Start a server behind a prefix and a proxy that is believed, with a limit."""
    with running_server(
        prepared=prepared_data,
        FILESERVER_URL_PREFIX=PREFIX,
        FILESERVER_TRUSTED_PROXIES="127.0.0.0/8",
        FILESERVER_MAX_UPLOAD_SIZE=str(LIMIT),
    ) as running:
        yield TusClient(running.port)
