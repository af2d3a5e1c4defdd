"""A file server of two workers over a database server that the tests may kill."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from files.tests.database_servers import SERVERS, DatabaseServer, database_server
from files.tests.running_server import RunningServer, running_server

READY_S = 10.0  # what is promised, from the moment that the database answers again


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder: each test takes a started server."""
    for item in items:
        if "database_faults" in item.path.parts:
            item.add_marker(pytest.mark.live)
            item.add_marker(pytest.mark.own_servers)


@pytest.fixture(scope="package", params=SERVERS, ids=lambda kind: kind.__name__)
def its_database(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """Start a database server that nobody else uses."""
    with database_server(request.param) as database:
        yield database


@pytest.fixture(scope="package")
def its_server(its_database: DatabaseServer) -> Iterator[RunningServer]:
    """Start a file server over it, with two workers as between two more can go wrong."""
    with running_server("--workers", "2", DATABASE_URL=its_database.url) as server:
        yield server


@pytest.fixture
def database(its_database: DatabaseServer) -> Iterator[DatabaseServer]:
    """Return the database server, running now and after the test."""
    yield its_database
    its_database.thaw()
    if not its_database.pids:
        its_database.start()


@pytest.fixture
def server(its_server: RunningServer, database: DatabaseServer) -> RunningServer:
    """Return the file server, with no files listed."""
    for file in its_server.files():
        assert its_server.request("DELETE", f"/delete/{file['id']}").status == 204
    return its_server
