"""A real server in processes of its own, with its own port and data.

Entry points: running_server for a server, http_connection and ask for a client of it; prepare,
copy_prepared and environment_of for data without one. Used by the tests that are marked `live`
and by the programs in benchmarks/.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from files.tests import live_databases

ROOT = Path(__file__).resolve().parent.parent.parent
MANAGE = (sys.executable, str(ROOT / "manage.py"))
START_S = 60.0
STOP_S = 20.0
REQUEST_S = 120.0
BOUNDARY = "----files-tests-7MA4YWxkTrZu0gW"


@dataclass(frozen=True)
class Answer:
    """What the server said to one request."""

    status: int
    body: bytes
    headers: Message

    def json(self) -> Any:
        return json.loads(self.body)


def http_connection(port: int) -> http.client.HTTPConnection:
    """Return a connection, not yet open; it stays open from one request to the next."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_S)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request and read the answer whole; OSError or HTTPException if it is cut."""
    connection.request(method, path, body, dict(headers or {}))
    response = connection.getresponse()
    return Answer(response.status, response.read(), response.headers)


def upload(
    connection: http.client.HTTPConnection, name: str, data: bytes, *, as_form: bool = False
) -> Answer:
    """Upload as the plain body, or as a browser's form does."""
    if not as_form:
        return ask(connection, "PUT", f"/upload/{urllib.parse.quote(name)}", data)
    head, tail = form_around(name)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return ask(connection, "POST", "/upload", head + data + tail, headers)


def form_around(name: str) -> tuple[bytes, bytes]:
    """Return what comes before and after the bytes of a file in a form."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode(), f"\r\n--{BOUNDARY}--\r\n".encode()


def free_port() -> int:
    """Return a port that no connection gets by chance, so that a server may start at it again.

    Linux gives connections those from 32768 on.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(is_true: Callable[[], bool], timeout_s: float) -> None:
    """Return as soon as `is_true()`, or raise TimeoutError."""
    end = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s:.0f} s in vain")
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Return whether the process exists and has not ended (a zombie has)."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    """Return the ids of the processes that the process started, oldest first."""
    children = []
    for status in Path("/proc").glob("[0-9]*/status"):
        # A process may end between the listing and the look.
        with contextlib.suppress(OSError):
            if f"\nPPid:\t{pid}\n" in status.read_text(encoding="utf-8"):
                children.append(int(status.parent.name))
    return sorted(children)


def family_of(pid: int) -> list[int]:
    """Return the process's id and those of all that descend from it."""
    return [pid, *(one for child in children_of(pid) for one in family_of(child))]


def environment_of(data: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a server that keeps its data there, whatever ours says."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FILESERVER_") and name != "DATABASE_URL"
    }
    own = {"FILESERVER_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    if live_databases.kind_of(url := live_databases.url_of(data)) != live_databases.SQLITE:
        own["DATABASE_URL"] = url
    return inherited | own | variables


class RunningServer:
    """A server, started and killed as often as one likes; its data stay.

    `variables` are more of its environment, as DATABASE_URL for a database made elsewhere.
    """

    def __init__(
        self, data: Path, *options: str, durability: str = "full", **variables: str
    ) -> None:
        self.data = data
        self.options = options
        self.environment = environment_of(data, FILESERVER_DURABILITY=durability, **variables)
        self.port = free_port()
        self.log = data / f"server-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the id of the main process."""
        if self.process is None:
            raise RuntimeError("The server was not started.")
        return self.process.pid

    @property
    def database_url(self) -> str:
        return self.environment.get("DATABASE_URL") or live_databases.url_of(self.data)

    @property
    def database(self) -> Path:
        """Return SQLite's file; other databases have none."""
        if live_databases.kind_of(self.database_url) != live_databases.SQLITE:
            raise RuntimeError(f"{self.database_url} is no file")
        return self.data / "files.sqlite3"

    def start(self) -> None:
        """Start the server and return when it answers."""
        command = [*MANAGE, "serve", "--port", str(self.port), *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(self.answers, START_S)

    def answers(self) -> bool:
        """Return whether it is up; raises RuntimeError when it gave up."""
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(self.log.read_text(encoding="utf-8")[-4000:])
        try:
            return self.request("GET", "/healthz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self, *, only_main: bool = False) -> None:
        """End it as a power cut does: all its processes, or the main one and see what follows.

        Does nothing when the main process has ended: its id may be another's by now.
        """
        if self.process is None or self.process.poll() is not None:
            return
        for pid in [self.pid] if only_main else family_of(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C does; raises TimeoutExpired when it doesn't."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(STOP_S)

    def manage(self, *arguments: str) -> str:
        """Run a command on the server's data and return what it printed."""
        with self.begin(*arguments) as process:
            output = process.communicate(timeout=600)[0]
        if process.returncode:
            raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {output}")
        return output

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command on the server's data, beside the server."""
        return subprocess.Popen(
            [*MANAGE, *arguments], env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def connect(self) -> contextlib.closing[http.client.HTTPConnection]:
        """Return a new connection to be used in a `with`."""
        return contextlib.closing(http_connection(self.port))

    def request(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send one request on a connection of its own."""
        with self.connect() as connection:
            return ask(connection, method, path, body)

    def upload(self, name: str, data: bytes, *, as_form: bool = False) -> Answer:
        """Upload on a connection of its own."""
        with self.connect() as connection:
            return upload(connection, name, data, as_form=as_form)

    def files(self) -> list[dict[str, Any]]:
        """Return what `GET /files` lists."""
        return list(self.request("GET", "/files").json())

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run SQL beside the server, on the database itself; changes are committed.

        Parameters are `%s`, and names that some database reserves stand in double quotes.
        """
        return live_databases.query(self.database_url, statement, *parameters)

    @contextlib.contextmanager
    def sibling(self, *options: str) -> Iterator[RunningServer]:
        """Start one more server over the same database and data, on a port of its own."""
        other = RunningServer(self.data, *(options or self.options))
        other.environment = dict(self.environment)
        try:
            other.start()
            yield other
        finally:
            other.kill()


def prepare(data: Path, **variables: str) -> None:
    """Make the database and the static files of a server that has not run yet.

    With DATABASE_URL among the `variables` the database is there and the caller's own.
    """
    if "DATABASE_URL" not in variables:
        live_databases.make(live_databases.url_of(data))
    for command in (["migrate"], ["collectstatic", "--no-input"]):
        subprocess.run(
            [*MANAGE, *command, "-v0"],
            env=environment_of(data, **variables),
            check=True,
            timeout=120,
        )


def copy_prepared(prepared: Path, data: Path) -> None:
    """Copy a folder that `prepare` filled, and the database that belongs to it."""
    shutil.copytree(prepared, data)
    live_databases.copy(live_databases.url_of(prepared), live_databases.url_of(data))


def rows_of(table: str, data: Path) -> int:
    """Return how many rows a table has in the database that belongs to a data folder."""
    statement = f'SELECT COUNT(*) FROM "{table}"'  # noqa: S608
    return int(live_databases.query(live_databases.url_of(data), statement)[0][0])


@contextlib.contextmanager
def running_server(
    *options: str, prepared: Path | None = None, durability: str = "full", **variables: str
) -> Iterator[RunningServer]:
    """Start a server with empty data, and kill it and remove its data in the end.

    `options` are those of `manage.py serve`, `variables` more of its environment; `prepared` is
    a folder that `prepare` filled and that is copied, which saves some seconds.
    """
    with tempfile.TemporaryDirectory(prefix="fileserver-") as folder:
        data = Path(folder, "data")
        server = RunningServer(data, *options, durability=durability, **variables)
        try:
            if prepared is None:
                prepare(data, **variables)
            else:
                copy_prepared(prepared, data)
            server.start()
            yield server
        finally:
            server.kill()
            live_databases.drop(live_databases.url_of(data))
