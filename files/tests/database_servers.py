"""Database servers of the tests' own, which may be killed, frozen and filled.

Entry point: database_server. Each keeps its data in a new folder and listens at a free port
of loopback; neither needs an account or a password, and none outlives the tests.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from files.tests import live_databases
from files.tests.running_server import family_of, free_port, is_running, wait_until

START_S = 60.0
STOP_S = 60.0
NAME = "fileserver"


class DatabaseServer(ABC):
    """A database server, started and killed as often as one likes; its data stay.

    Only the main thread may start it: it dies with the thread that did.
    """

    kind: ClassVar[str]  # as in the address; also the name of a database of its own
    account: ClassVar[str]  # where the tests run as root, which database servers refuse
    graceful: ClassVar[signal.Signals]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.log = folder / "server.log"
        self.options: list[str] = []  # further ones, from the next start on
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Return what DATABASE_URL has to be."""

    @classmethod
    @abstractmethod
    def programs(cls) -> list[str | None]:
        """Return the paths of the programs it takes, None for what is not installed."""

    @abstractmethod
    def create(self) -> None:
        """Make the data folder, of a server that does not run."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def connections(self) -> list[int]:
        """Return the ids of the connections to our database, this one's aside."""

    @abstractmethod
    def cut_connection(self, connection: int) -> None:
        """End a connection, if it is still there."""

    def cut_connections(self) -> int:
        """End all connections to our database, and return how many those were."""
        cut = self.connections()
        for connection in cut:
            self.cut_connection(connection)
        wait_until(lambda: not set(cut) & set(self.connections()), STOP_S)
        return len(cut)

    @property
    def pids(self) -> list[int]:
        """Return the ids of all its processes, none when it does not run."""
        if self.process is None or self.process.poll() is not None:
            return []
        return family_of(self.process.pid)

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own."""
        return live_databases.query(self.url, statement, *parameters)

    def administer(self, statement: str) -> None:
        """Run a statement outside our database, which may not be there."""
        live_databases.query(self.url.removesuffix(NAME) + self.kind, statement)

    def start(self) -> None:
        """Start it and return when it takes connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._as_account(*self.command(), *self.options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self.answers, START_S)

    def answers(self) -> bool:
        """Return whether it takes connections; raises RuntimeError when it gave up."""
        if not self.pids:
            raise RuntimeError(self.log.read_text(encoding="utf-8", errors="replace")[-4000:])
        try:
            self.administer("SELECT 1")
        except Exception:  # noqa: BLE001  # of whichever driver: it does not answer yet
            return False
        return True

    def kill(self) -> None:
        """End all its processes at once, as a power cut does."""
        pids = self.pids
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        # A PostgreSQL that finds one of its old processes alive refuses to start.
        wait_until(lambda: not any(is_running(pid) for pid in pids), STOP_S)

    def stop(self) -> None:
        """Shut it down without waiting for clients to leave."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.graceful)
            self.process.wait(STOP_S)

    def freeze(self) -> None:
        """Stop all its processes where they are; the kernel goes on taking connections."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def run(self, *command: str) -> None:
        """Run a program of the server's to its end."""
        done = subprocess.run(
            self._as_account(*command), capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]} {done.stderr[-2000:]}")

    def own(self, path: Path) -> None:
        """Give the folder to the account that the server runs as."""
        if os.geteuid() == 0:
            shutil.chown(path, self.account)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.pids:
            # One of PostgreSQL's may end by itself meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _as_account(self, *command: str) -> list[str]:
        prefix = ["setpriv", "--pdeathsig", "KILL"]
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.account)
            prefix += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        return [*prefix, *command]


class MariaDB(DatabaseServer):
    kind = "mysql"
    account = "mysql"
    graceful = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/{NAME}"

    @classmethod
    def programs(cls) -> list[str | None]:
        # Debian keeps it where only root's search path leads.
        server = shutil.which("mariadbd") or shutil.which("/usr/sbin/mariadbd")
        return [server, shutil.which("mariadb-install-db"), shutil.which("setpriv")]

    def create(self) -> None:
        self.run(
            str(shutil.which("mariadb-install-db")),
            "--no-defaults",
            f"--datadir={self.data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )

    def command(self) -> list[str]:
        return [
            str(self.programs()[0]),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder}/socket",
            f"--pid-file={self.folder}/pid",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=64M",
            "--character-set-server=utf8mb4",
            "--skip-name-resolve",
        ]

    def connections(self) -> list[int]:
        rows = self.query(
            "SELECT id FROM information_schema.processlist WHERE db = %s AND id != CONNECTION_ID()",
            NAME,
        )
        return [one for (one,) in rows]

    def cut_connection(self, connection: int) -> None:
        # An error where it has ended by itself; of which class only the driver knows.
        with contextlib.suppress(Exception):
            self.query(f"KILL {connection:d}")


class PostgreSQL(DatabaseServer):
    kind = "postgres"
    account = "postgres"
    graceful = signal.SIGINT  # SIGTERM would wait until the last client has left.

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{NAME}"

    @classmethod
    def programs(cls) -> list[str | None]:
        return [*(cls._program(name) for name in ("postgres", "initdb")), shutil.which("setpriv")]

    @staticmethod
    def _program(name: str) -> str | None:
        # Debian keeps each version's programs apart, outside the search path.
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        return str(found[-1]) if found else shutil.which(name)

    def create(self) -> None:
        self.run(
            str(self._program("initdb")),
            f"--pgdata={self.data}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "shared_buffers": "64MB",
            "max_wal_size": "256MB",
        }
        command = [str(self._program("postgres")), "-D", str(self.data), "-p", str(self.port)]
        return command + [word for pair in settings.items() for word in ("-c", "=".join(pair))]

    def connections(self) -> list[int]:
        rows = self.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid != pg_backend_pid()", NAME
        )
        return [one for (one,) in rows]

    def cut_connection(self, connection: int) -> None:
        self.query("SELECT pg_terminate_backend(%s)", connection)


SERVERS: tuple[type[DatabaseServer], ...] = (MariaDB, PostgreSQL)


@contextlib.contextmanager
def database_server(kind: type[DatabaseServer], data: Path | None = None) -> Iterator[Any]:
    """Start an empty server with a database for our tables, and remove it in the end.

    `data` is the folder to keep its data in; skips the test where it is not installed.
    """
    if not all(kind.programs()):
        pytest.skip(f"{kind.__name__}'s server is not installed")
    # pytest's own folders are closed to other accounts.
    with tempfile.TemporaryDirectory(prefix=f"{kind.kind}-", ignore_cleanup_errors=True) as folder:
        database = kind(Path(folder))
        database.own(Path(folder))
        if data is not None:
            data.mkdir()
            database.own(data)
            database.data = data
        database.create()
        try:
            database.start()
            database.administer(f"CREATE DATABASE {NAME}")
            yield database
        finally:
            database.kill()
