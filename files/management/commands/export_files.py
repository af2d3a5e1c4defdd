from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.http import QueryDict
from tqdm import tqdm

from files.actors import SYSTEM
from files.exceptions import FilesError
from files.filters import filter_files
from files.local_files import printable
from files.models import File, FileQuerySet
from files.processing.export import ExportReport, TargetError, check_target, export, measure

USAGE, INTERRUPTED = 2, 130


class Command(BaseCommand):
    help = (
        "Write the files to a folder, or to an archive if TARGET ends in .zip, beside a list "
        "of their hashes for `sha256sum --check` and one with all that is known of them. Run "
        "again on a folder, it goes on: what is there already is proven by its hash."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, metavar="TARGET", help="folder, or file.zip")
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            dest="filters",
            metavar="NAME=VALUE",
            help="only what the list shows with this filter: suffix=pdf, min_size=1000; repeatable",
        )
        parser.add_argument(
            "--no-check",
            action="store_false",
            dest="is_checked",
            help="do not read again what was written",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only tell what would be written"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def handle(self, *, target: Path, filters: list[str], as_json: bool, **given: Any) -> None:
        files = files_of(filters)
        count, size = measure(files)
        try:
            if given["dry_run"]:
                check_target(target)
                self._tell_dry(count, size, as_json=as_json)
                return
            report, failures = self._export(
                files, target, size, is_checked=given["is_checked"], is_quiet=given["verbosity"] < 1
            )
        except TargetError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except (OSError, DatabaseError) as error:
            raise CommandError(f"The export was broken off: {error}") from error
        except KeyboardInterrupt:
            self.stderr.write("Interrupted. Run again on a folder, it goes on.")
            sys.exit(INTERRUPTED)
        if as_json:
            self.stdout.write(json.dumps(asdict(report) | {"failures": failures}))
        else:
            self._tell(report)
        if report.failed or report.differing:
            sys.exit(1)

    def _export(
        self, files: FileQuerySet, target: Path, size: int, *, is_checked: bool, is_quiet: bool
    ) -> tuple[ExportReport, list[dict[str, Any]]]:
        failures: list[dict[str, Any]] = []
        tqdm.monitor_interval = 0  # No thread of its own.
        is_hidden = is_quiet or not sys.stderr.isatty()
        total = size * 2 if is_checked else size
        with tqdm(total=total, unit="B", unit_scale=True, disable=is_hidden) as bar:

            def tell_failure(file: File | None, path: str, reason: str) -> None:
                failures.append({"id": file and file.pk, "path": path, "reason": reason})
                which = f"file {file.pk}, {path}" if file else path
                with bar.external_write_mode(file=sys.stderr):
                    self.stderr.write(f"{printable(which)}: {reason}")

            report = export(
                files,
                target,
                is_checked=is_checked,
                on_progress=bar.update,
                on_failure=tell_failure,
            )
        return report, failures

    def _tell_dry(self, count: int, size: int, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"files": count, "bytes": size}))
        else:
            self.stdout.write(f"{count:,} files with {size:,} bytes would be exported.")

    def _tell(self, report: ExportReport) -> None:
        self.stdout.write(
            f"{report.written:,} files written, {report.kept:,} there already, {report.bytes:,} "
            f"bytes in all; {report.checked:,} checked, {report.gone:,} deleted meanwhile, "
            f"{report.failed + report.differing:,} failed."
        )


def files_of(filters: list[str]) -> FileQuerySet:
    """Return the files that filters like "suffix=pdf" ask for."""
    parameters = QueryDict(mutable=True)
    for text in filters:
        name, has_value, value = text.partition("=")
        if not has_value or name == "ordering":
            raise CommandError(f"{text!r} is no filter like suffix=pdf.", returncode=USAGE)
        parameters.appendlist(name, value)
    try:
        return filter_files(File.objects.visible_to(SYSTEM), parameters)
    except FilesError as error:
        raise CommandError(str(error), returncode=USAGE) from error
