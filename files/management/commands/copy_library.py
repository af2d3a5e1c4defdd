from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django.db import Error, connection

from files.exceptions import FilesError
from files.management.exits import BROKEN_OFF, FAILED, USAGE, FilesCommand
from files.management.progress import progress_bar, tell
from files.services.copying import (
    CopyRefusedError,
    CopyReport,
    LibraryCopy,
    UnreachableError,
    connect,
    described,
    library_size,
    opened,
    require_source,
    require_usable,
    sqlite_file,
)

TARGET_VARIABLE = "TARGET_DATABASE_URL"
STOP = (
    "The source was changed meanwhile, so the copy is not complete: stop its server and run this "
    "again, then only the difference is copied."
)


class Command(FilesCommand):
    help = (
        "Copy the whole library into another, empty database: files, labels, users, events, all "
        "but sessions; every hash is proven. Run again, it copies the difference. The source, "
        "which is only read, may be in use until the last run."
    )
    goes_on = "Run it again: it goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target_url",
            nargs="?",
            metavar="TARGET_URL",
            help=(
                "sqlite:////path/files.sqlite3, mysql://user:password@host/name or postgres://…; "
                f"without it {TARGET_VARIABLE} of the environment, which others cannot see"
            ),
        )
        parser.add_argument(
            "--from",
            dest="source_url",
            metavar="URL",
            help="copy from there (default: the configured database)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be copied")
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def check_migrations(self) -> None:
        """Leave it to the copy, which looks at both databases."""

    def handle(
        self,
        *,
        target_url: str | None,
        source_url: str | None,
        dry_run: bool,
        as_json: bool,
        **given: Any,
    ) -> None:
        target_url = target_url or os.environ.get(TARGET_VARIABLE)
        if not target_url:
            text = f"Name the target as an argument or in {TARGET_VARIABLE}."
            raise CommandError(text, returncode=USAGE)
        try:
            with ExitStack() as databases:
                source = connection
                if source_url:
                    source = databases.enter_context(opened(source_url, "copy_source"))
                target = databases.enter_context(opened(target_url, "copy_target"))
                require_source(source)
                self._copy(source, target, given["verbosity"], dry_run=dry_run, as_json=as_json)
        except CopyRefusedError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except UnreachableError as error:
            raise CommandError(f"{error} {self.goes_on}", returncode=BROKEN_OFF) from error

    def _copy(
        self, source: Any, target: Any, verbosity: int, *, dry_run: bool, as_json: bool
    ) -> None:
        if dry_run:
            # SQLite would make a file of the question.
            if (file := sqlite_file(target)) is None or file.exists():
                connect(target, "target")
                require_usable(source, target)
            copy = LibraryCopy(source, target)
            copy.look()
            self._tell(copy.report, as_json=as_json, verb="would be ")
            return
        with progress_bar("B", total=lambda: library_size(source)[1], verbosity=verbosity) as bar:
            copy = LibraryCopy(
                source,
                target,
                on_bytes=bar.update,
                on_finding=lambda text: tell(self.stderr, text),
            )
            try:
                copy.run()
            except (KeyboardInterrupt, Error, FilesError):
                bar.close()
                self._tell(copy.report, as_json=as_json)
                raise
        self._tell(copy.report, as_json=as_json)
        self._end(copy.report, described(target))

    def _tell(self, report: CopyReport, *, as_json: bool, verb: str = "") -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(report), default=str))
            return
        speed = (
            "" if verb else f" ({report.copied_bytes / 1e6 / max(report.seconds, 0.001):,.0f} MB/s)"
        )
        self.stdout.write(
            f"{report.copied_files:,} files with {report.copied_bytes:,} bytes {verb}copied, "
            f"{report.written_rows:,} rows {verb}written and {report.removed_rows:,} removed; "
            f"{report.seconds:,.1f} s{speed}."
        )
        if report.is_complete and not report.damaged_files:
            self.stdout.write(
                f"The copy is complete: {report.files:,} files, {report.bytes:,} bytes, all hashes "
                "proven."
            )
        elif report.is_complete:
            self.stdout.write(
                f"The copy has {report.files:,} files, {report.bytes:,} bytes, all hashes proven, "
                f"and all there is but {report.damaged_files:,} files that are damaged in the "
                "source."
            )

    def _end(self, report: CopyReport, target: str) -> None:
        """End with status 1 unless the target is the source's equal."""
        if report.refused_rows:
            text = f"{report.refused_rows:,} rows were not taken by {target}: it is not complete."
            raise CommandError(text, returncode=FAILED)
        if not report.is_complete:
            raise CommandError(STOP, returncode=FAILED)
        if report.damaged_files:
            sys.exit(FAILED)
