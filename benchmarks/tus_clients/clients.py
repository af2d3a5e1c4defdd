"""The clients that upload, and how each is started.

Entry points: CLIENTS, and install for the packages that some of them need.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from files.tests.running_server import family_of

HERE = Path(__file__).resolve().parent
INSTALL_S = 600
MIB = 1 << 20
# Bytes a request; none is all in one.
CHUNK_SIZES = (None, None, 8 * MIB, 5 * MIB, 8 * MIB + 1, 3_000_001, MIB)
LARGEST_CHUNKS = 200  # of a file in requests: more only take time


@dataclass(frozen=True)
class Work:
    """What one client is given; `folder` is its own, in which it keeps where it is."""

    endpoint: str
    source: Path
    folder: Path
    packages: Path

    @property
    def size(self) -> int:
        return self.source.stat().st_size


@dataclass(frozen=True)
class Client:
    """A kind of client; its command is drawn once for an upload and then kept.

    `tools` are what must be there to run it.
    """

    name: str
    tools: tuple[str, ...]
    command: Callable[[Work, random.Random], list[str]]
    is_browser: bool = False


def install(folder: Path) -> None:
    """Make `folder` hold the clients of npm, in the versions of package-lock.json."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = HERE / "package-lock.json"
    installed = folder / "package-lock.json"
    is_there = installed.exists() and installed.read_bytes() == lock.read_bytes()
    for name in ("package.json", "upload.mjs", "uppy_page.js"):
        shutil.copy(HERE / name, folder / name)
    if not is_there or not (folder / "node_modules").exists():
        shutil.copy(lock, installed)
        install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(install, cwd=folder, check=True, timeout=INSTALL_S)
    bundle = ["node_modules/.bin/esbuild", "uppy_page.js", "--bundle", "--format=iife"]
    bundle += ["--outfile=uppy.js", "--log-level=warning"]
    subprocess.run(bundle, cwd=folder, check=True, timeout=INSTALL_S)


def _chunk_size(work: Work, chance: random.Random) -> int | None:
    size = chance.choice(CHUNK_SIZES)
    return size and max(size, work.size // LARGEST_CHUNKS)


def _tuspy(work: Work, chance: random.Random) -> list[str]:
    # It reads a whole chunk into memory.
    size = _chunk_size(work, chance) or 64 * MIB
    program, storage = HERE / "tuspy_client.py", work.folder / "urls.json"
    command = [sys.executable, program, work.endpoint, work.source, storage]
    checksum = ["--checksum"] if chance.random() < 0.4 else []
    return [*map(str, command), "--chunk-size", str(size), *checksum]


def _tus_js_client(parallel: int) -> Callable[[Work, random.Random], list[str]]:
    def command(work: Work, chance: random.Random) -> list[str]:
        options: dict[str, object] = {"chunkSize": _chunk_size(work, chance)}
        # It cannot read parts of no bytes.
        if parallel > 1 and work.size >= parallel:
            options["parallelUploads"] = parallel
        elif chance.random() < 0.3 and work.size:
            options["uploadDataDuringCreation"] = True
        told = {
            "endpoint": work.endpoint,
            "file": str(work.source),
            "storage": str(work.folder / "urls.json"),
            "options": options,
        }
        return ["node", str(work.packages / "upload.mjs"), json.dumps(told)]

    return command


def _uppy(work: Work, chance: random.Random) -> list[str]:
    size = _chunk_size(work, chance)
    program, script = HERE / "uppy_client.py", work.packages / "uppy.js"
    command = [sys.executable, program, work.endpoint, work.source, work.folder / "profile", script]
    return [*map(str, command), *(["--chunk-size", str(size)] if size else [])]


def _curl(work: Work, chance: random.Random) -> list[str]:
    framing = chance.choice(["length", "chunked", "deferred"])
    state = work.folder / "address"
    return [str(HERE / "upload.sh"), work.endpoint, str(work.source), str(state), framing]


NODE = ("node", "npm")
CLIENTS = (
    Client("tuspy", (), _tuspy),
    Client("tus-js-client", NODE, _tus_js_client(1)),
    Client("tus-js-client x3", NODE, _tus_js_client(3)),
    Client("Uppy", (*NODE, "chromium"), _uppy, is_browser=True),
    Client("curl", ("bash", "curl"), _curl),
)


def pages_of(pid: int) -> list[int]:
    """Return the processes of Chromium's pages among those that descend from `pid`."""
    pages = []
    for one in family_of(pid):
        try:
            command = Path(f"/proc/{one}/cmdline").read_bytes()
        except OSError:
            continue  # Ended meanwhile.
        if b"--type=renderer" in command:
            pages.append(one)
    return pages
