from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from contextlib import closing
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from files.management.exits import FAILED, USAGE, FilesCommand
from files.management.progress import progress_bar, tell
from files.services.legacy import LegacyReport, import_legacy
from files.services.legacy_source import LegacySourceError, LegacyTable, open_table


class Command(FilesCommand):
    help = (
        "Take the files of the Flask and SQLAlchemy server over that this one replaces. Its "
        "database is only read. Dates without a zone are taken for UTC. Run again, it goes on."
    )
    goes_on = "Run it again: it goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--database-url",
            required=True,
            metavar="URL",
            help="sqlite:////path/files.db, mysql://user:password@host/name or postgres://…",
        )
        parser.add_argument("--table", default="file", help="table of the files (default: file)")
        parser.add_argument("--dry-run", action="store_true", help="read all and store nothing")
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def handle(
        self, *, database_url: str, table: str, dry_run: bool, as_json: bool, **given: Any
    ) -> None:
        try:
            with closing(open_table(database_url, table)) as source:
                report = self._import(source, is_dry_run=dry_run, verbosity=given["verbosity"])
        except LegacySourceError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        self._tell(report, as_json=as_json, is_dry_run=dry_run)
        if report.is_interrupted:
            raise KeyboardInterrupt
        if report.failed or report.stopped:
            sys.exit(FAILED)

    def _import(self, source: LegacyTable, *, is_dry_run: bool, verbosity: int) -> LegacyReport:
        with progress_bar(" rows", total=source.count, verbosity=verbosity) as bar:
            return import_legacy(
                source,
                is_dry_run=is_dry_run,
                on_row=bar.update,
                on_finding=lambda id, text: tell(self.stderr, f"Row {id}: {text}"),
            )

    def _tell(self, report: LegacyReport, *, as_json: bool, is_dry_run: bool) -> None:
        if report.stopped:
            self.stderr.write(f"Stopped: {report.stopped} Make room and run it again: it goes on.")
        if as_json:
            numbers = asdict(report)
            del numbers["stopped"], numbers["is_interrupted"]
            self.stdout.write(json.dumps(numbers, default=str))
            return
        found = report.found
        verb = "would be stored" if is_dry_run else "stored"
        self.stdout.write(
            f"{report.rows:,} rows: {report.stored:,} files with {report.bytes:,} bytes {verb}, "
            f"{report.duplicates:,} there already ({found['doubles']:,} of them twice in the "
            f"table), {report.failed:,} failed; {report.seconds:,.1f} s.\n"
            f"Hashes: {found['null_hashes']:,} missing, {found['wrong_hashes']:,} wrong. "
            f"Wrong sizes: {found['wrong_sizes']:,}. Wrong dates: {found['wrong_dates']:,}."
        )
