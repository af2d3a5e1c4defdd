from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.demo.library import SIZES
from files.management.exits import FilesCommand
from files.management.options import number_from
from files.management.progress import progress_bar
from files.services.demo import Forecast, Plan, Seeded, forecast, seed


class Command(FilesCommand):
    help = "Fill the library with made-up files of all kinds, to try things out and to measure."
    goes_on = "What was added before stays. Run it again: it goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--files", type=number_from(1), default=1000, help="how many (1000)")
        parser.add_argument(
            "--seed", type=number_from(0), default=1, help="another number makes other files (1)"
        )
        parser.add_argument(
            "--size",
            choices=list(SIZES),
            default="small",
            help="small: about half a kilobyte each (default); mixed: up to 4 MiB",
        )
        parser.add_argument(
            "--spread-days",
            type=number_from(1),
            default=365,
            metavar="DAYS",
            help="give them dates of upload over so many days, until now (365)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be added")
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def handle(
        self,
        *,
        files: int,
        seed: int,
        size: str,
        spread_days: int,
        as_json: bool,
        **given: Any,
    ) -> None:
        plan = Plan(files, seed, size, spread_days)
        expected = forecast(space_id=DEFAULT_SPACE_ID, plan=plan)
        if not as_json:
            self._announce(plan, expected, dry_run=given["dry_run"])
        elif given["dry_run"]:
            self.stdout.write(json.dumps({"files": plan.files} | asdict(expected)))
        if not given["dry_run"]:
            self._seed(plan, as_json=as_json, verbosity=given["verbosity"])

    def _announce(self, plan: Plan, expected: Forecast, *, dry_run: bool) -> None:
        room = "" if expected.room is None else f"; there is room for {expected.room:,} bytes"
        self.stdout.write(
            f"{'Would add' if dry_run else 'Adding'} {plan.files:,} made-up files (seed "
            f"{plan.seed}, {plan.size}) with about {expected.bytes:,} bytes to a library of "
            f"{expected.present:,} files{room}. Those that are there already are left out."
        )

    def _seed(self, plan: Plan, *, as_json: bool, verbosity: int) -> None:
        start = time.monotonic()
        done = 0
        with progress_bar(" files", total=lambda: plan.files, verbosity=verbosity) as bar:

            def advance(files: int) -> None:
                nonlocal done
                done += files
                bar.update(files)

            try:
                seeded = seed(
                    actor=SYSTEM, space_id=DEFAULT_SPACE_ID, plan=plan, on_progress=advance
                )
            except KeyboardInterrupt:
                self._tell(plan, done, None, time.monotonic() - start, as_json=as_json)
                raise
        self._tell(plan, done, seeded, time.monotonic() - start, as_json=as_json)

    def _tell(
        self, plan: Plan, done: int, seeded: Seeded | None, seconds: float, *, as_json: bool
    ) -> None:
        """Tell what was done; `seeded` is None where it did not come to its end."""
        if as_json:
            numbers = {"files": plan.files, "done": done, "seconds": round(seconds, 3)}
            self.stdout.write(json.dumps(numbers | (asdict(seeded) if seeded else {})))
        elif seeded is None:
            self.stdout.write(f"{done:,} of {plan.files:,} files done.")
        else:
            self.stdout.write(
                f"{seeded.added:,} files with {seeded.bytes:,} bytes added, {seeded.skipped:,} "
                f"were there already; {plan.files / seconds:,.0f} files a second."
            )
