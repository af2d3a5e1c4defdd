"""Starts a server with these settings and an empty library of its own, to try it out."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings

from files.child_processes import PARENT_VARIABLE
from files.doctor.client import Client

START_S = 60.0
STOP_S = 15.0


class ServerFailedError(Exception):
    """The server did not start; the text is the end of what it said."""


@contextlib.contextmanager
def own_server() -> Iterator[Client]:
    """Run a server on a free port of this machine; its library is removed in the end.

    Its settings are ours but for where the data are and who may do what.
    """
    with tempfile.TemporaryDirectory(prefix="fileserver-doctor-") as folder:
        environment = environment_of(Path(folder))
        Path(folder, "static").mkdir()
        log = Path(folder, "server.log")
        port = _free_port()
        with log.open("wb") as stream:
            _run(["migrate", "--no-input", "-v0"], environment, stream.fileno(), log)
            process = subprocess.Popen(  # noqa: S603  # our own command line, no shell
                _command("serve", "--host", "127.0.0.1", "--port", str(port)),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        try:
            client = Client(f"http://127.0.0.1:{port}")
            _wait(client, process, log)
            yield client
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment of a server that knows nothing of the real library."""
    environment: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if name != "DATABASE_URL"
    }
    return {
        **environment,
        "FILESERVER_DATA_DIR": str(folder),
        "FILESERVER_ACCESS": "open",
        "FILESERVER_ALLOWED_HOSTS": "127.0.0.1",
        # It ends with us, however we end.
        PARENT_VARIABLE: str(os.getpid()),
    }


def _command(*arguments: str) -> list[str]:
    return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments]


def _run(arguments: list[str], environment: dict[str, str], out: int, log: Path) -> None:
    command = _command(*arguments)
    done = subprocess.run(  # noqa: S603  # as above
        command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
    )
    if done.returncode:
        raise ServerFailedError(_end_of(log))


def _wait(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, http.client.HTTPException):
            if client.ask("GET", "/healthz").status == 200:
                return
        time.sleep(0.1)
    raise ServerFailedError(_end_of(log))


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
