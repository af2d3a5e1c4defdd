"""Measures our server beside its peers and writes a table, a page with charts and all figures.

    python benchmarks/run.py [--quick] [--only WORKLOAD...] [--peers PEER...] [--out DIR]

The servers take turns (A B C, B C A, ...), each alone, so that what disturbs the machine disturbs
all of them. `make bench` makes the environment that the peers run in; a peer that isn't there is
left out, and the report says so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.bench import Bench  # noqa: E402
from benchmarks.figures import Results  # noqa: E402
from benchmarks.peers import PEERS  # noqa: E402
from benchmarks.report import write_reports  # noqa: E402
from benchmarks.workloads import FULL, QUICK, WORKLOADS  # noqa: E402

# In a page: what follows is made by this program.
MARK = "<!-- results -->"


def library_of(folder: str) -> tuple[int, Path]:
    """Return how many files a data folder of ours has, and the folder."""
    database = Path(folder, "files.sqlite3").resolve()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM file").fetchone()[0]), Path(folder)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, 3 rounds: 5 minutes")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of 5, or 3 with --quick")
    parser.add_argument(
        "--only", nargs="+", metavar="WORKLOAD", help="by name or its first word, such as lists"
    )
    parser.add_argument("--peers", nargs="+", choices=[peer.name for peer in PEERS], metavar="PEER")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "benchmarks", metavar="DIR")
    parser.add_argument(
        "--library",
        action="append",
        type=library_of,
        default=[],
        metavar="DIR",
        help="data made by seed_demo, copied for lists of as many files; may be repeated",
    )
    parser.add_argument(
        "--render", type=Path, metavar="JSON", help="measure nothing, write these results' reports"
    )
    parser.add_argument(
        "--docs", type=Path, metavar="FILE", help="also put the tables into this page, at its end"
    )
    return parser.parse_args(arguments)


def put_into(page: Path, tables: str) -> None:
    """Replace what follows the mark in a page."""
    text, mark, _old = page.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise SystemExit(f"{page} has no line {MARK}")
    page.write_text(f"{text}{mark}\n\n{tables}", encoding="utf-8")


def is_wanted(name: str, only: list[str] | None) -> bool:
    """Return whether a workload was asked for, by its name or by the first words of it."""
    return not only or any(f"{name}-".startswith(f"{wanted}-") for wanted in only)


def measure(options: argparse.Namespace) -> Bench:
    """Run what was asked for; reports are written as soon as there is something to report."""
    scale = QUICK if options.quick else FULL
    if options.rounds:
        scale = replace(scale, rounds=options.rounds)
    work = options.out / "work"
    # What a run that was killed left behind.
    shutil.rmtree(work, ignore_errors=True)
    bench = Bench(work, scale, dict(options.library))
    try:
        bench.prepare([one for one in PEERS if not options.peers or one.name in options.peers])
        for workload in WORKLOADS:
            if is_wanted(workload.name, options.only) and workload.belongs_to(scale):
                print(workload.title, file=sys.stderr, flush=True)
                bench.run(workload)
                write_reports(bench.results, options.out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return bench


def main() -> int:
    """Measure and write the reports; return 1 if a server failed."""
    options = parse()
    begun = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.render:
        found = json.loads(options.render.read_text(encoding="utf-8"))
        write_reports(Results.from_json(found), options.out)
        failed = False
    else:
        failed = bool(measure(options).failed)
    tables = (options.out / "results.md").read_text(encoding="utf-8")
    if options.docs:
        put_into(options.docs, tables)
    print(tables)
    took_min = (time.monotonic() - begun) / 60
    print(f"{took_min:.1f} minutes; reports in {options.out}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
