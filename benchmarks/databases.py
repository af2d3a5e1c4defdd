"""Measures our server over SQLite, MySQL or MariaDB, and PostgreSQL, in turns.

    python benchmarks/databases.py [--quick] [--only WORKLOAD...] [--out DIR] [--docs FILE]

FILESERVER_TEST_MYSQL_URL and FILESERVER_TEST_POSTGRES_URL name the servers, with an account
that may make and drop databases; what is not named is left out. Both are also measured through
Django's own backends ("stock"). Databases are made for it and dropped in the end. Needs 10 GB
where each database keeps its files, and in --out. Writes databases.md and databases.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.bench import Bench  # noqa: E402
from benchmarks.database_peers import DATABASES  # noqa: E402
from benchmarks.figures import Results, Series, readable, times_better  # noqa: E402
from benchmarks.report import figure, heading, markdown_table, notes, peers  # noqa: E402
from benchmarks.run import is_wanted, put_into  # noqa: E402
from benchmarks.workloads import Scale, Workload  # noqa: E402
from benchmarks.workloads.flat_memory import FlatMemory  # noqa: E402
from benchmarks.workloads.lists import Lists  # noqa: E402
from benchmarks.workloads.one_large_file import OneLargeFile  # noqa: E402
from benchmarks.workloads.ranges import Ranges  # noqa: E402
from benchmarks.workloads.small_uploads import SmallUploads  # noqa: E402

MIB = 1 << 20
FULL = Scale(rounds=5, seconds=3.0, large=1024 * MIB, counts=(100_000,))
QUICK = Scale(rounds=3, seconds=1.0, large=64 * MIB, counts=(1_000,))
STOCK = "-stock"


def workloads(scale: Scale) -> list[Workload]:
    """Return what is measured, in the order of the report."""
    lists = [Lists(count) for count in scale.counts]
    return [OneLargeFile(), FlatMemory(), SmallUploads(), Ranges(), *lists]


def as_markdown(results: Results) -> str:
    """Return the tables, and what is needed to read them."""
    about = results.about
    lines = [
        *(f"- {name}: {value}" for name, value in about["machine"].items()),
        f"- rounds: {about['rounds']}; the large file: {about['large']}",
        "",
        "Medians of the rounds, in parentheses where the middle half of them lies. Below the "
        "figures of a database: how many times as good they are as through Django's own backend.",
        "",
        *markdown_table(["database", "version", "how"], peers(about)),
        *(f"\nLeft out: {name}, for {reason}." for name, reason in about["missing"].items()),
    ]
    for name, told in about["workloads"].items():
        lines += ["", f"### {told['title']}", "", told["explains"], "", *table(results, name)]
        lines += ["", *(f"- {note}" for note in notes(results, name))]
    return "\n".join(lines).rstrip() + "\n"


def table(results: Results, workload: str) -> list[str]:
    """Return the table of a workload: a column a database."""
    groups = [{one.peer: one for one in group if one.values} for group in results.groups(workload)]
    measured = {peer for group in groups for peer in group}
    columns = {
        name: told["title"] for name, told in results.about["peers"].items() if name in measured
    }
    rows = []
    for group in filter(None, groups):
        label = heading(next(iter(group.values())))
        rows.append([label, *(figure(group.get(name)) for name in columns)])
        ratios = [ratio(group, name) for name in columns]
        if any(ratios):
            rows.append(["… times the stock path", *ratios])
    return markdown_table(["", *columns.values()], rows)


def ratio(group: dict[str, Series], name: str) -> str:
    """Return how many times as good a database does as through Django's own backend."""
    stock = group.get(f"{name}{STOCK}")
    if stock is None or name not in group or stock.metric.unit == "MiB":
        return ""
    return f"{readable(times_better(group[name], stock))}×"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, 3 rounds: 5 minutes")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of 5, or 3 with --quick")
    names = [one.name for one in workloads(FULL)]
    parser.add_argument(
        "--only", nargs="+", metavar="WORKLOAD", help=f"of {', '.join(names)}, or first words"
    )
    parser.add_argument(
        "--databases", nargs="+", choices=[one.name for one in DATABASES], metavar="DATABASE"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "benchmarks", metavar="DIR")
    parser.add_argument(
        "--docs", type=Path, metavar="FILE", help="also put the tables into this page, at its end"
    )
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace) -> Bench:
    """Run what was asked for; the report is written after each workload."""
    scale = QUICK if options.quick else FULL
    if options.rounds:
        scale = replace(scale, rounds=options.rounds)
    work = options.out / "databases-work"
    shutil.rmtree(work, ignore_errors=True)
    bench = Bench(work, scale, {})
    chosen = [one for one in DATABASES if not options.databases or one.name in options.databases]
    try:
        bench.prepare(chosen)
        for workload in workloads(scale):
            if is_wanted(workload.name, options.only):
                print(workload.title, file=sys.stderr, flush=True)
                bench.run(workload)
                write(bench.results, options.out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return bench


def write(results: Results, out: Path) -> None:
    """Write databases.json and databases.md into a folder."""
    (out / "databases.json").write_text(json.dumps(results.as_json(), indent=1), encoding="utf-8")
    (out / "databases.md").write_text(as_markdown(results), encoding="utf-8")


def main() -> int:
    """Measure and write the report; return 1 if a server failed."""
    options = parse()
    if os.environ.get("DATABASE_URL"):
        raise SystemExit("DATABASE_URL is set: all servers would use that database. Unset it.")
    begun = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    bench = measure(options)
    tables = (options.out / "databases.md").read_text(encoding="utf-8")
    if options.docs:
        put_into(options.docs, tables)
    print(tables)
    took_min = (time.monotonic() - begun) / 60
    print(f"{took_min:.1f} minutes; report in {options.out}", file=sys.stderr)
    return int(bool(bench.failed))


if __name__ == "__main__":
    sys.exit(main())
