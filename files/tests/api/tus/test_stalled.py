"""A client that falls silent is cut off, and what it sent is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from files.tests.api.tus.raw import TusClient
from files.tests.running_server import running_server, wait_until

pytestmark = pytest.mark.live

WINDOW_S = 1.0


def test_a_silent_client_is_cut_off_and_what_it_sent_is_kept(prepared_data: Path):
    data = os.urandom(100_000)
    with running_server("--window", str(WINDOW_S), prepared=prepared_data) as running:
        tus = TusClient(running.port)
        path = tus.create(len(data))
        with tus.begin_patch(path, 0, len(data)) as connection:
            connection.sendall(data[:60_000])
            # The server closes it; else this would raise TimeoutError.
            try:
                while connection.recv(4096):
                    pass
            except ConnectionResetError:
                pass
        wait_until(lambda: tus.offset(path) == 60_000, timeout_s=10)
        tus.patch(path, 60_000, data[60_000:])
        assert tus.bytes_of(path) == data
