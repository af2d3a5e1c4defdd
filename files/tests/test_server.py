"""The command `serve`: whom it listens to, how it ends, and what slow clients may do."""

import hashlib
import http.client
import json
import os
import signal
import socket
import threading
import time

import pytest
from django.core.management import CommandError, call_command

from files import server
from files.tests.running_server import (
    RunningServer,
    children_of,
    copy_prepared,
    free_port,
    is_running,
    wait_until,
)

WINDOW_S = 1.5


def options(host="127.0.0.1", port=8000):
    return server.ServeOptions(host=host, port=port, workers=1, threads=1)


def begin_upload(running, name):
    """Send the head of an upload of 1 MB and return the connection."""
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=30)
    head = f"PUT /upload/{name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    connection.sendall(head.encode())
    return connection


@pytest.fixture
def start(prepared_data, tmp_path):
    """Return a function that starts a server with more options; all are killed at the end."""
    data = tmp_path / "data"
    copy_prepared(prepared_data, data)
    started = []

    def start_server(*options, port=None):
        running = RunningServer(data, "--workers", "2", *options)
        running.port = port or running.port
        started.append(running)
        running.start()
        return running

    yield start_server
    for running in started:
        running.kill()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_open_mode_is_not_served_to_strangers(host):
    with pytest.raises(CommandError, match="FILESERVER_ACCESS=private.*or --allow-open"):
        server.serve(options(host=host), announce=print)


@pytest.mark.parametrize(
    ("access", "address", "allowed"),
    [
        ("open", "127.0.0.1", False),
        ("open", "::1", False),
        ("open", "0.0.0.0", True),
        ("read", "0.0.0.0", False),
        ("private", "::", False),
    ],
)
def test_address_may_be_served(settings, access, address, allowed):
    settings.FILESERVER_ACCESS = access
    server.refuse_open_mode(address, allowed=allowed)


def test_a_name_stands_for_its_ipv4_address():
    assert server.resolve("localhost", 8000) == "127.0.0.1"


def test_unknown_host_is_named():
    with pytest.raises(CommandError, match="--host no.such.host.invalid"):
        server.resolve("no.such.host.invalid", 8000)


@pytest.mark.parametrize("option", ["workers", "threads"])
def test_at_least_one_is_needed(option):
    with pytest.raises(CommandError, match="1 or more"):
        call_command("serve", f"--{option}", "0")


def test_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} of 127.0.0.1 cannot be used"):
            server.hold_port("127.0.0.1", port, wait_s=0)


def test_a_port_is_held_once():
    port = free_port()
    with server.hold_port("127.0.0.1", port), pytest.raises(CommandError, match="in use"):
        server.hold_port("127.0.0.1", port, wait_s=0)


def test_missing_static_files_are_named(settings):
    settings.STATIC_ROOT = "/nonexistent"
    with pytest.raises(CommandError, match="collectstatic"):
        server.serve(options(port=free_port()), announce=print)


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [
        ("", "/upload/a", "/upload/a"),
        ("/files", "/files/upload/a", "/upload/a"),
        ("/files", "/files/", "/"),
        ("/files", "/upload/a", "/upload/a"),
        ("/files", "/files", "/files"),
        ("/files", "/filesystem/a", "/filesystem/a"),
    ],
)
def test_a_proxy_may_send_its_prefix_or_not(prefix, path, expected):
    application = server.without_prefix(lambda environ, _start: [environ["PATH_INFO"]], prefix)
    assert application({"PATH_INFO": path}, None) == [expected]


class FakeConnections:
    """Stands for Django's connections; each thread has one of its own, part of a cycle."""

    def __init__(self):
        self.closed_by = []

    def all(self):
        self.cycle = self
        return [self]

    def inc_thread_sharing(self):
        pass

    def close(self):
        self.closed_by.append(threading.current_thread().name)


def test_a_thread_that_ends_leaves_no_connection_open(monkeypatch):
    fake = FakeConnections()
    monkeypatch.setattr(server, "connections", fake)
    application = server.closing_connections(lambda _environ, _start: [b"answer"])
    answers = []

    def two_requests():
        answers.extend([application({}, None), application({}, None), list(fake.closed_by)])

    thread = threading.Thread(target=two_requests)
    thread.start()
    thread.join()
    wait_until(lambda: fake.closed_by != [], timeout_s=5)
    assert answers == [[b"answer"], [b"answer"], []]
    assert fake.closed_by == ["connection-closer"]


@pytest.mark.live
def test_sigterm_ends_everything_in_seconds(start):
    running = start()
    with begin_upload(running, "unfinished.bin"):
        children = children_of(running.pid)
        assert len(children) == 3  # two workers and the sweeper
        begun = time.monotonic()
        running.stop()
    assert time.monotonic() - begun < server.GRACE_S + 4
    output = running.log.read_text(encoding="utf-8")
    assert running.process.returncode == 0, output
    assert not any(is_running(pid) for pid in children)
    assert f"File server at http://127.0.0.1:{running.port}/" in output


@pytest.mark.live
def test_children_end_with_the_killed_server_and_the_next_one_starts(start):
    running = start()
    children = children_of(running.pid)
    running.kill(only_main=True)
    # At once, on the same port: the old workers still hold it.
    again = start(port=running.port)
    assert again.answers()
    # One that has only just begun watches its parent a little later.
    wait_until(lambda: not any(is_running(pid) for pid in children), timeout_s=10)


@pytest.mark.live
def test_a_killed_worker_is_replaced(start):
    running = start()
    before = children_of(running.pid)
    os.kill(before[-1], signal.SIGKILL)
    wait_until(lambda: children_of(running.pid)[-1] not in before, timeout_s=10)
    wait_until(running.answers, timeout_s=10)


@pytest.mark.live
def test_static_files_are_served_and_nothing_beside_them(start):
    running = start()
    manifest = running.data / "static" / "staticfiles.json"
    name = next(iter(json.loads(manifest.read_text(encoding="utf-8"))["paths"].values()))
    assert running.request("GET", f"/static/{name}").status == 200
    for path in ("/static/../secret_key", "/static/%2e%2e/secret_key", "/static//etc/passwd"):
        assert running.request("GET", path).status in (400, 404)


def seconds_until_cut(connection, pause_s):
    """Send a byte every `pause_s` (never when 0) and return when the server hung up."""
    begun = time.monotonic()
    with connection:
        connection.settimeout(pause_s or 30)
        while True:
            try:
                while connection.recv(4096):
                    pass
                return time.monotonic() - begun
            except TimeoutError:
                assert time.monotonic() - begun < 25, "never cut"
                try:
                    connection.sendall(b"x")
                except OSError:
                    return time.monotonic() - begun
            except OSError:
                return time.monotonic() - begun


@pytest.mark.live
def test_slow_clients_are_cut_while_honest_ones_go_on(start):
    running = start("--window", str(WINDOW_S))
    cut = {}

    def suffer(name, pause_s):
        cut[name] = seconds_until_cut(begin_upload(running, name), pause_s)

    slow = [
        threading.Thread(target=suffer, args=("stalled", 0)),
        threading.Thread(target=suffer, args=("trickling", 0.2)),
    ]
    for thread in slow:
        thread.start()
    size, pieces, block = 60 * 40_000, 60, os.urandom(40_000)
    honest = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    honest.putrequest("PUT", "/upload/honest.bin")
    honest.putheader("Content-Length", str(size))
    honest.endheaders()
    for _count in range(pieces):  # 6 s: longer than either window
        honest.send(block)
        time.sleep(0.1)
    answer = json.loads(honest.getresponse().read())
    honest.close()
    for thread in slow:
        thread.join()
    assert cut["trickling"] < WINDOW_S + 1.5
    assert WINDOW_S < cut["stalled"] < WINDOW_S * 3 + 2
    assert answer["hash"] == hashlib.sha256(block * pieces).hexdigest()
    assert running.request("GET", f"/download/{answer['id']}").body == block * pieces
