from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from contextlib import closing
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from files.local_files import printable
from files.services.legacy import LegacyReport, import_legacy
from files.services.legacy_source import LegacySourceError, LegacyTable, open_table

USAGE, INTERRUPTED = 2, 130


class Command(BaseCommand):
    help = (
        "Take the files of the Flask and SQLAlchemy server over that this one replaces. Its "
        "database is only read. Dates without a zone are taken for UTC. Run again, it goes on."
    )
    requires_migrations_checks = True

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
                report = self._import(source, is_dry_run=dry_run, is_quiet=given["verbosity"] < 1)
        except LegacySourceError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except DatabaseError as error:
            raise CommandError(f"A database gave up: {error}") from error
        self._tell(report, as_json=as_json, is_dry_run=dry_run)
        if report.is_interrupted:
            sys.exit(INTERRUPTED)
        if report.failed or report.stopped:
            sys.exit(1)

    def _import(self, source: LegacyTable, *, is_dry_run: bool, is_quiet: bool) -> LegacyReport:
        is_shown = sys.stderr.isatty() and not is_quiet
        tqdm.monitor_interval = 0  # No thread of its own.
        with tqdm(
            total=source.count() if is_shown else 0, unit=" rows", disable=not is_shown
        ) as bar:

            def tell_finding(id: Any, text: str) -> None:
                with bar.external_write_mode(file=sys.stderr):
                    self.stderr.write(printable(f"Row {id}: {text}"))

            return import_legacy(
                source, is_dry_run=is_dry_run, on_row=bar.update, on_finding=tell_finding
            )

    def _tell(self, report: LegacyReport, *, as_json: bool, is_dry_run: bool) -> None:
        if report.stopped:
            self.stderr.write(f"Stopped: {report.stopped} Make room and run it again: it goes on.")
        if report.is_interrupted:
            self.stderr.write("Interrupted. Run it again: it goes on.")
        if as_json:
            numbers = asdict(report)
            del numbers["stopped"], numbers["is_interrupted"]
            self.stdout.write(json.dumps(numbers, default=str))
            return
        verb = "would be stored" if is_dry_run else "stored"
        self.stdout.write(
            f"{report.rows:,} rows: {report.stored:,} files with {report.bytes:,} bytes {verb}, "
            f"{report.duplicates:,} there already ({len(report.doubles):,} of them twice in the "
            f"table), {report.failed:,} failed; {report.seconds:,.1f} s.\n"
            f"Hashes: {len(report.null_hashes):,} missing, {len(report.wrong_hashes):,} wrong. "
            f"Wrong sizes: {len(report.wrong_sizes):,}. Wrong dates: {len(report.wrong_dates):,}."
        )
