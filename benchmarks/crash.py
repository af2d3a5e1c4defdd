"""Kills a busy server again and again and looks for what it lost.

    python benchmarks/crash.py [--rounds 50] [--durability full] [--workers 2] [--seed N] [--json]

Starts a server of its own, lets eight uploaders (of duplicates too, and deleters) work on it,
ends all its processes with kill -9, starts it again, sweeps as if hours had passed, and checks
everything that was acknowledged: the bytes, the totals, the database itself. Ends with status
1 when something was wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from files.tests.crash_rounds import CrashRounds, Round, summary  # noqa: E402
from files.tests.running_server import running_server  # noqa: E402

HEAD = (
    "round  killed      uploads  refused deletes  cut stored restart listed   read    swept\n"
    "       after s       stored (doubles)            of cut       s            MB contents   MB"
)


def line(one: Round) -> str:
    """Return one line of the table."""
    return (
        f"{one.number:5}  {one.killed_after_s:5.2f} {'main' if one.only_main else 'all ':5}"
        f" {one.acknowledged:6} {one.refused:8} {one.deleted:7} {one.cut:4} {one.unanswered:6}"
        f" {one.restart_s:7.2f} {one.listed:6} {one.verified_bytes / 1e6:6.1f}"
        f" {one.swept_contents:8} {one.swept_bytes / 1e6:5.1f}"
    )


def main() -> int:
    """Run the rounds, print the table and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--durability", choices=("full", "normal"), default="full")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    options = parser.parse_args()
    done: list[Round] = []
    workers = ("--workers", str(options.workers))
    with running_server(*workers, durability=options.durability) as server:
        rounds = CrashRounds(server, options.seed)
        if not options.json:
            print(f"seed {options.seed}, {options.workers} workers, {options.durability}\n{HEAD}")
        for _number in range(options.rounds):
            done.append(rounds.run())
            if not options.json:
                print(line(done[-1]), *done[-1].problems, sep="\n  PROBLEM ", flush=True)
        at_the_end = rounds.verify_all()
    found = summary(done) | {"seed": options.seed, "problems_at_the_end": at_the_end}
    if options.json:
        print(json.dumps(found | {"all": [asdict(one) for one in done]}))
    else:
        print("\n".join(f"{name:20} {value}" for name, value in found.items()))
    return 1 if at_the_end or found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
