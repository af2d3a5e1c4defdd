from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.demo.library import SIZES
from files.exceptions import FilesError
from files.management.options import number_from
from files.services.demo import Forecast, Plan, forecast, seed


class Command(BaseCommand):
    help = "Fill the library with made-up files of all kinds, to try things out and to measure."

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

    def handle(
        self, *, files: int, seed: int, size: str, spread_days: int, dry_run: bool, **options: Any
    ) -> None:
        plan = Plan(files, seed, size, spread_days)
        self._announce(plan, forecast(space_id=DEFAULT_SPACE_ID, plan=plan), dry_run=dry_run)
        if not dry_run:
            self._seed(plan)

    def _announce(self, plan: Plan, expected: Forecast, *, dry_run: bool) -> None:
        room = "" if expected.room is None else f"; there is room for {expected.room:,} bytes"
        self.stdout.write(
            f"{'Would add' if dry_run else 'Adding'} {plan.files:,} made-up files (seed "
            f"{plan.seed}, {plan.size}) with about {expected.bytes:,} bytes to a library of "
            f"{expected.present:,} files{room}. Those that are there already are left out."
        )

    def _seed(self, plan: Plan) -> None:
        start = time.monotonic()
        with tqdm(total=plan.files, unit=" files", disable=None) as progress:
            try:
                seeded = seed(
                    actor=SYSTEM,
                    space_id=DEFAULT_SPACE_ID,
                    plan=plan,
                    on_progress=progress.update,
                )
            except FilesError as error:
                raise CommandError(f"{error} What was added before stays.") from error
        seconds = time.monotonic() - start
        self.stdout.write(
            f"{seeded.added:,} files with {seeded.bytes:,} bytes added, {seeded.skipped:,} were "
            f"there already; {plan.files / seconds:,.0f} files a second."
        )
