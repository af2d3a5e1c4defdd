"""What the measurements ask of every server."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from files.tests.running_server import ask, family_of, free_port, http_connection

BENCH_PYTHON = Path(__file__).resolve().parent.parent.parent / ".venv-bench" / "bin" / "python"
START_S = 60.0
STOP_S = 20.0
POLL_S = 0.002
FILL_BYTES = 1024


@dataclass(frozen=True)
class Frame:
    """What is sent before and after the bytes of an upload."""

    head: str
    tail: str = ""


@dataclass(frozen=True)
class Listing:
    """A list to ask for; `is_whole`: it has all files, however many there are."""

    label: str
    path: str
    is_whole: bool = False


class Peer(ABC):
    """A server with data of its own, started and stopped as often as one likes."""

    name: ClassVar[str]
    title: ClassVar[str]
    # What it does with an upload before it says yes, in words, for whoever reads the table.
    does: ClassVar[str]
    # Whether an acknowledged upload is on the disk, not only in the kernel's memory.
    syncs: ClassVar[bool] = False
    # Differs from ours only in how it stores, so that reading need not be measured again.
    is_variant: ClassVar[bool] = False
    # The largest file it can take; None: the disk decides.
    largest: ClassVar[int | None] = None
    most_files: ClassVar[int] = 1_000_000
    list_path: ClassVar[str] = "/"

    def __init__(self, folder: Path, libraries: dict[int, Path] | None = None) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.libraries = libraries or {}
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the id of the main process."""
        if self.process is None:
            raise RuntimeError(f"{self.title} was not started.")
        return self.process.pid

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Return what is installed; raise LookupError with the reason when nothing is."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that runs it in the foreground."""

    @abstractmethod
    def frame(self, name: str, size: int) -> Frame:
        """Return what surrounds `size` bytes that are to be uploaded under this name."""

    @abstractmethod
    def path_of(self, name: str, answer: str) -> str:
        """Return the path under which an upload that was answered so can be fetched."""

    @abstractmethod
    def fill(self, count: int) -> None:
        """Put this many small files where it lists them, before it is started."""

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes."""
        return dict(os.environ)

    def prepare(self) -> None:  # noqa: B027 - Most need nothing.
        """Make what it needs to start, in an empty data folder."""

    def listings(self) -> list[Listing]:
        """Return the lists that it has."""
        return [Listing("all files", self.list_path, is_whole=True)]

    def reset(self) -> None:
        """Forget all data."""
        self.clear()
        self.data.mkdir(parents=True)
        self.prepare()

    def clear(self) -> None:
        """Remove all data."""
        shutil.rmtree(self.data, ignore_errors=True)

    def start(self, *, until_it_lists: bool = False) -> float:
        """Start it and return after how many seconds it answered.

        Any answer will do, or a list of its files with 200.
        """
        begun = time.monotonic()
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            while not self.answers(until_it_lists=until_it_lists):
                if time.monotonic() - begun > START_S or self.process.poll() is not None:
                    raise RuntimeError(f"{self.title} did not start: {self.last_words()}")
                time.sleep(POLL_S)
        except BaseException:
            self.stop()
            raise
        return time.monotonic() - begun

    def answers(self, *, until_it_lists: bool) -> bool:
        """Return whether it answers at all, or lists its files."""
        path = self.list_path if until_it_lists else "/healthz"
        with contextlib.closing(http_connection(self.port)) as connection:
            try:
                return ask(connection, "GET", path).status == 200 or not until_it_lists
            except (OSError, http.client.HTTPException):
                return False

    def last_words(self) -> str:
        """Return the end of its log."""
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]

    def stop(self) -> None:
        """End it; whatever is still there after a while is killed."""
        if self.process is None or self.process.poll() is not None:
            return
        family = family_of(self.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()


def put_frame(port: int, path: str, size: int) -> Frame:
    """Return the head of a plain PUT."""
    return Frame(
        f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
    )


def fill_folder(folder: Path, count: int) -> None:
    """Write this many small files into a folder."""
    for number in range(count):
        (folder / f"{number:07}.bin").write_bytes(number.to_bytes(8, "big") * (FILL_BYTES // 8))


def installed_version(package: str) -> str:
    """Return the version of a package of the benchmark's environment; LookupError if none."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    try:
        found = subprocess.run([BENCH_PYTHON, "-c", code], capture_output=True, text=True)
    except OSError as error:
        raise LookupError("there is no .venv-bench: run `make bench`") from error
    if found.returncode:
        raise LookupError(f"{package} is not installed in .venv-bench")
    return found.stdout.strip()
