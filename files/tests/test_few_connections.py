"""Clients that are slow keep no database connection: few are enough for many."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from files.tests.running_server import RunningServer, running_server
from files.tests.samples import noise

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="about MySQL's and PostgreSQL's pool"),
]

CONNECTIONS = 3
# Of each kind; some more than there are connections in two workers.
CLIENTS = 12


@pytest.fixture
def server(prepared_data: Path) -> Iterator[RunningServer]:
    with running_server(
        "--workers",
        "1",
        prepared=prepared_data,
        FILESERVER_DATABASE_CONNECTIONS=str(CONNECTIONS),
    ) as running:
        yield running


def sockets(server: RunningServer, head: str) -> list[socket.socket]:
    """Open CLIENTS connections that send a head and then do nothing."""
    opened = []
    for number in range(CLIENTS):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(head.format(number=number).replace("\n", "\r\n").encode())
        opened.append(client)
    return opened


def test_stalled_clients_leave_the_database_to_others(server: RunningServer) -> None:
    large = noise(40 << 20)
    file_id = server.upload("large.bin", large).json()["id"]
    with contextlib.ExitStack() as stack:
        stalled = sockets(server, f"GET /download/{file_id} HTTP/1.1\nHost: localhost\n\n")
        stalled += sockets(
            server,
            "PUT /upload/slow-{number}.bin HTTP/1.1\nHost: localhost\nContent-Length: 30000000\n\n",
        )
        # A cookie has the session looked up first.
        stalled += sockets(
            server,
            "POST /api/v1/files/check/ HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
            f"Cookie: sessionid={'a' * 32}\nContent-Length: 5000\n\n{{{{",
        )
        for client in stalled:
            stack.enter_context(contextlib.closing(client))
        for client in stalled[:CLIENTS]:
            assert client.recv(12) == b"HTTP/1.1 200"
        for number in range(5):
            assert server.upload(f"quick {number}.txt", b"quick %d" % number).status == 200
            assert len(server.files()) == 2 + number
        assert server.request("GET", f"/download/{file_id}").body == large
        sessions = {
            "mysql": "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()",
            "postgresql": "SELECT COUNT(*) FROM pg_stat_activity"
            " WHERE datname = current_database()",
        }
        # The server's, the sweeper's and this one.
        assert server.query(sessions[connection.vendor])[0][0] <= CONNECTIONS + 2
