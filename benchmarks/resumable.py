"""Lets real clients upload, kills them and the servers again and again, and looks for losses.

    python benchmarks/resumable.py [--client-kills 50] [--server-kills 20] [--uploads 60]
        [--clients tuspy curl ...] [--largest 128] [--at-a-time 4] [--seed N] [--json]

Starts three servers over one database (DATABASE_URL, else SQLite); each request of a client
goes to another one than the request before. tuspy, tus-js-client, Uppy in Chromium and curl
upload files of a byte to 128 MiB, are killed with kill -9 or frozen, and go on from what they
stored; servers are killed with kill -9 at the same time. All that is listed meanwhile is
downloaded. In the end every file must be there, whole and once, and a sweep must leave nothing
of what was not finished. Needs node, npm and Chromium for all clients; what npm brings comes
into var/tus-clients. Ends with status 1 when something was wrong.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.tus_clients.aftermath import aftermath  # noqa: E402
from benchmarks.tus_clients.clients import CLIENTS, Client, install  # noqa: E402
from benchmarks.tus_clients.servers import Wanted  # noqa: E402
from benchmarks.tus_clients.sources import Sources  # noqa: E402
from benchmarks.tus_clients.uploads import Upload, Uploads  # noqa: E402
from benchmarks.tus_clients.watcher import Watcher  # noqa: E402
from files.tests import live_databases  # noqa: E402
from files.tests.fleet import Fleet, running_fleet  # noqa: E402
from files.tests.running_server import prepare  # noqa: E402

PACKAGES = ROOT / "var" / "tus-clients"
MIB = 1 << 20
HEAD = (
    "client            uploads     MB  kills frozen  gave  processes  requests  resumed  "
    "to another   sent of\n"
    "                                                  up                              "
    "    server    size %"
)


@contextmanager
def fleet_of_servers(folder: Path) -> Iterator[Fleet]:
    """Start three servers with empty data."""
    prepared = folder / "prepared" / "data"
    prepared.mkdir(parents=True)
    try:
        prepare(prepared)
        with running_fleet(prepared) as fleet:
            yield fleet
    finally:
        live_databases.drop(live_databases.url_of(prepared))


def chosen(names: list[str]) -> list[Client]:
    """Return the clients that can be run here, and tell which cannot."""
    clients = []
    for client in CLIENTS:
        if names and client.name not in names:
            continue
        missing = [tool for tool in client.tools if shutil.which(tool) is None]
        if client.name == "tuspy" and importlib.util.find_spec("tusclient") is None:
            missing.append("tuspy")
        if missing:
            told = " and ".join(missing)
            print(f"{client.name} is left out: there is no {told}", file=sys.stderr)
        else:
            clients.append(client)
    return clients


def row(name: str, done: list[Upload]) -> str:
    """Return one line of the table."""
    size = sum(one.source.size for one in done)
    sent = sum(one.sent_bytes for one in done)
    return (
        f"{name:17} {len(done):7} {size / 1e6:6.0f} {sum(one.kills for one in done):6}"
        f" {sum(one.freezes for one in done):6} {sum(one.gave_up for one in done):5}"
        f" {sum(one.attempts for one in done):10} {sum(one.requests for one in done):9}"
        f" {sum(one.resumed for one in done):8} {sum(one.elsewhere for one in done):11}"
        f" {100 * sent / max(size, 1):9.0f}"
    )


def tell(upload: Upload) -> None:
    """Print that an upload has ended, on stderr."""
    sent = 100 * upload.sent_bytes / max(upload.source.size, 1)
    print(
        f"{upload.number:4} {upload.client.name:17} {upload.source.size:11,} bytes"
        f" {upload.state:10} {upload.seconds:6.1f} s {upload.attempts:3} processes"
        f" {upload.kills:3} kills, sent {sent:4.0f} %,"
        f" slowest answer {upload.slowest_s:5.1f} s"
        f"{' again' if upload.is_again else ''}",
        *upload.problems,
        sep="\n  PROBLEM ",
        file=sys.stderr,
        flush=True,
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--client-kills", type=int, default=50)
    parser.add_argument("--server-kills", type=int, default=20)
    parser.add_argument("--uploads", type=int, default=60, help="files at least (60)")
    parser.add_argument(
        "--clients", nargs="+", default=[], choices=[one.name for one in CLIENTS], metavar="NAME"
    )
    parser.add_argument("--largest", type=int, default=128, help="MiB of the largest file (128)")
    parser.add_argument("--at-a-time", type=int, default=4, help="uploads at a time (4)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--keep", type=Path, help="a folder for what is of use when it failed")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    return parser.parse_args()


def run(options: argparse.Namespace, clients: list[Client], folder: Path) -> dict[str, Any]:
    """Do all of it and return the figures."""
    chance = random.Random(options.seed)
    (folder / "sources").mkdir()
    sources = Sources(folder / "sources", chance, options.largest * MIB)
    wanted = Wanted(options.uploads, options.client_kills, options.server_kills)
    begun = time.monotonic()
    with fleet_of_servers(folder) as fleet:
        uploads = Uploads(fleet, sources, clients, wanted, folder, PACKAGES, chance)
        with Watcher(fleet, sources) as watcher:
            uploads.run(options.at_a_time, tell)
        uploading_s = time.monotonic() - begun
        problems = [*uploads.problems, *watcher.problems]
        problems += [f"{one.number}: {text}" for one in uploads.done for text in one.problems]
        problems += aftermath(fleet, sources, uploads.done)
        if options.keep and problems:
            shutil.copytree(fleet.data, options.keep, dirs_exist_ok=True)
    slowest = max(uploads.done, key=lambda one: one.slowest_s)
    return {
        "seed": options.seed,
        "database": live_databases.kind_of(live_databases.TESTED_URL),
        "uploading_s": round(uploading_s, 1),
        "states": dict(Counter(one.state for one in uploads.done)),
        "client_kills": sum(one.kills for one in uploads.done),
        "server_kills": uploads.servers_killed,
        "looks_at_the_list": watcher.looks,
        "downloaded_meanwhile": len(watcher.seen),
        "slowest_answer_s": round(slowest.slowest_s, 1),
        "slowest_request": slowest.slowest,
        "problems": problems,
        "uploads": uploads.done,
    }


def main() -> int:
    """Run, print the table and return the exit status."""
    options = parse()
    clients = chosen(options.clients)
    if any("npm" in client.tools for client in clients):
        install(PACKAGES)
    print(f"seed {options.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="resumable-") as folder:
        figures = run(options, clients, Path(folder))
    done: list[Upload] = figures.pop("uploads")
    if options.json:
        left_out = {"client", "source", "folder", "left_behind"}
        plain = [
            {name: value for name, value in vars(one).items() if name not in left_out}
            | {"client": one.client.name, "size": one.source.size}
            for one in done
        ]
        print(json.dumps(figures | {"uploads": plain}))
        return 1 if figures["problems"] else 0
    print(HEAD)
    for client in clients:
        print(row(client.name, [one for one in done if one.client == client]))
    print(row("all", done))
    problems = figures.pop("problems")
    print("\n".join(f"{name:22} {value}" for name, value in figures.items()))
    print(f"{'problems':22} {len(problems)}", *problems, sep="\n  PROBLEM ")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
