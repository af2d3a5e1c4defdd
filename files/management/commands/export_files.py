from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.http import QueryDict

from files.actors import SYSTEM
from files.exceptions import FilesError
from files.filters import filter_files
from files.management.exits import FAILED, USAGE, FilesCommand
from files.management.progress import progress_bar, tell
from files.models import File, FileQuerySet
from files.processing.export import ExportReport, TargetError, check_target, export, measure


class Command(FilesCommand):
    help = (
        "Write the files to a folder, or to an archive if TARGET ends in .zip, beside a list "
        "of their hashes for `sha256sum --check` and one with all that is known of them. Run "
        "again on a folder, it goes on: what is there already is proven by its hash."
    )
    goes_on = "Run again on a folder, it goes on."

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
        try:
            if given["dry_run"]:
                check_target(target)
                self._tell_dry(*measure(files), as_json=as_json)
                return
            report, failures = self._export(
                files,
                target,
                is_checked=given["is_checked"],
                as_json=as_json,
                verbosity=given["verbosity"],
            )
        except TargetError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except OSError as error:
            text = f"The export was broken off: {error}"
            raise CommandError(text, returncode=FAILED) from error
        if as_json:
            self.stdout.write(json.dumps(asdict(report) | {"failures": failures}))
        else:
            self._tell(report)
        if report.failed or report.differing:
            sys.exit(FAILED)

    def _export(
        self,
        files: FileQuerySet,
        target: Path,
        *,
        is_checked: bool,
        as_json: bool,
        verbosity: int,
    ) -> tuple[ExportReport, list[dict[str, Any]]]:
        failures: list[dict[str, Any]] = []
        done = 0
        count, size = measure(files)
        total = size * 2 if is_checked else size
        with progress_bar("B", total=lambda: total, verbosity=verbosity) as bar:

            def advance(size: int) -> None:
                nonlocal done
                done += 1
                bar.update(size)

            def tell_failure(file: File | None, path: str, reason: str) -> None:
                failures.append({"id": file and file.pk, "path": path, "reason": reason})
                which = f"file {file.pk}, {path}" if file else path
                tell(self.stderr, f"{which}: {reason}")

            try:
                report = export(
                    files,
                    target,
                    is_checked=is_checked,
                    on_progress=advance,
                    on_failure=tell_failure,
                )
            except KeyboardInterrupt:
                # Each file is told again when it is checked.
                self._tell_so_far(min(done, count), count, failures, as_json=as_json)
                raise
        return report, failures

    def _tell_so_far(
        self, done: int, count: int, failures: list[dict[str, Any]], *, as_json: bool
    ) -> None:
        if as_json:
            so_far = {"done": done, "files": count, "failures": failures}
            self.stdout.write(json.dumps(so_far))
        else:
            self.stdout.write(f"{done:,} of {count:,} files done, {len(failures):,} failed.")

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
