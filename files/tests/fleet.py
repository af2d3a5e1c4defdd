"""Several servers over one database, and clients whose every request goes to any of them.

Entry points: running_fleet, Fleet, which stands in for a RunningServer, and Browser, a client
with cookies.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from files.tests import live_databases
from files.tests.running_server import Answer, RunningServer, ask, copy_prepared, http_connection

SERVERS = 3
SECRET = "the same on all servers of one library, as README.md asks for"  # noqa: S105
# Behind a proxy all servers have one name.
HOST = "localhost"


class Fleet(RunningServer):
    """The first of several servers; each connection goes to one of them by chance.

    All have the same database and secret. Where the database is no file, each has a data
    folder of its own: nothing that matters may be there.
    """

    def __init__(
        self, data: Path, *options: str, durability: str = "full", **variables: str
    ) -> None:
        secret = {"FILESERVER_SECRET_KEY": SECRET}
        super().__init__(data, *options, durability=durability, **(secret | variables))
        self.others = [self._other(number) for number in range(1, SERVERS)]
        self._rng = random.Random(1)
        self._round: list[RunningServer] = []
        self._turn = threading.Lock()

    @property
    def members(self) -> list[RunningServer]:
        return [self, *self.others]

    def start(self) -> None:
        """Start all of them."""
        for other in self.others:
            if other.data != self.data:
                shutil.copytree(self.data / "static", other.data / "static", dirs_exist_ok=True)
        with ThreadPoolExecutor(SERVERS) as pool:
            started = [pool.submit(other.start) for other in self.others]
            super().start()
        for one in started:
            one.result()

    def kill(self, *, only_main: bool = False) -> None:
        """End all of them as a power cut does."""
        for other in self.others:
            other.kill(only_main=only_main)
        super().kill(only_main=only_main)

    def stop(self) -> None:
        """End all of them as Ctrl-C does."""
        for other in self.others:
            other.stop()
        super().stop()

    def answers(self) -> bool:
        """Return whether the first one is up; the others were waited for."""
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(self.log.read_text(encoding="utf-8")[-4000:])
        try:
            with contextlib.closing(http_connection(self.port)) as connection:
                return ask(connection, "GET", "/healthz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def any_port(self) -> int:
        """Return the port of any server that is up: who was killed gets nothing from a proxy.

        Each has its turn in every round, so that few requests reach all of them.
        """
        up = [one for one in self.members if one.process and one.process.poll() is None]
        with self._turn:
            waiting = [one for one in self._round if one in up]
            self._round = waiting or self._rng.sample(up, len(up))
            return self._round.pop().port

    def on_each(self, path: str) -> list[Answer]:
        """Return what each server answers to a GET."""
        answers = []
        for member in self.members:
            with contextlib.closing(http_connection(member.port)) as connection:
                answers.append(ask(connection, "GET", path))
        return answers

    def connect(self) -> contextlib.closing[http.client.HTTPConnection]:
        """Return a new connection to any of the servers, to be used in a `with`."""
        return contextlib.closing(http_connection(self.any_port()))

    def _other(self, number: int) -> RunningServer:
        is_file = live_databases.kind_of(self.database_url) == live_databases.SQLITE
        data = self.data if is_file else self.data.with_name(f"{self.data.name}-{number}")
        other = RunningServer(data, *self.options)
        other.log = self.data.with_name(f"server-{other.port}.log")
        other.environment = self.environment | {"FILESERVER_DATA_DIR": str(data)}
        if not is_file:
            other.environment["DATABASE_URL"] = self.database_url
        return other


class Browser:
    """A client that keeps cookies and comes to another server each time, as through a proxy."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.cookies: dict[str, str] = {}
        self.ports: set[int] = set()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, fields: Mapping[str, str | list[str]], page: Answer) -> Answer:
        """Post a form that came with `page`, and with it the page's token."""
        body = urlencode({**fields, "csrfmiddlewaretoken": token_in(page)}, doseq=True)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, body.encode(), kind | {"Origin": f"http://{HOST}"})

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request to any of the servers."""
        port = self.fleet.any_port()
        self.ports.add(port)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Host": HOST, "Cookie": cookies} if cookies else {"Host": HOST}
        with contextlib.closing(http_connection(port)) as connection:
            answer = ask(connection, method, path, body, own | dict(headers or {}))
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, cookie in SimpleCookie(line).items():
                self.cookies[name] = cookie.value
        return answer

    def sign_in(self, name: str, password: str) -> Answer:
        """Sign in at the admin's page."""
        path = "/admin/login/"
        fields = {"username": name, "password": password, "next": "/admin/"}
        return self.post(path, fields, self.get(path))


def token_in(page: Answer) -> str:
    """Return the token of the forms on a page."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body.decode())
    if found is None:
        raise RuntimeError(f"No form on a page of status {page.status}")
    return found[1]


@contextlib.contextmanager
def running_fleet(prepared: Path, **variables: str) -> Iterator[Fleet]:
    """Start three servers with empty data, and remove all of it in the end."""
    with tempfile.TemporaryDirectory(prefix="fileserver-") as folder:
        fleet = Fleet(Path(folder, "data"), "--workers", "1", **variables)
        try:
            copy_prepared(prepared, fleet.data)
            fleet.start()
            yield fleet
        finally:
            fleet.kill()
            live_databases.drop(fleet.database_url)
