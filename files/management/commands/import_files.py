from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from files.actors import SYSTEM, Actor
from files.management.exits import FAILED, USAGE, FilesCommand
from files.management.options import MOST_WORKERS, number_from
from files.management.progress import progress_bar, tell
from files.permissions import actor_for
from files.services.importing import ImportOptions, ImportReport, import_files, measure


class Command(FilesCommand):
    help = (
        "Take files and folders of this machine in. A folder's files keep its name and those "
        "of the folders in it; of a folder that is given with / at its end, only the latter. "
        "Run again, it goes on: what is there already is proven by its hash and passed over."
    )
    goes_on = "Run it again: it goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="file or folder")
        parser.add_argument("--folder", default="", help="folder to put all of it into")
        parser.add_argument(
            "--on-duplicate",
            choices=("skip", "fail"),
            default="skip",
            help="whether bytes that are stored already are passed over or a failure",
        )
        parser.add_argument(
            "--workers",
            type=number_from(1, MOST_WORKERS),
            default=1,
            help="threads that read and store",
        )
        parser.add_argument(
            "--keep-dates", action="store_true", help="the files' dates become the upload dates"
        )
        parser.add_argument("--owner", metavar="USER", help="user whom the files shall belong to")
        parser.add_argument(
            "--include-hidden", action="store_true", help="names that begin with a dot too"
        )
        parser.add_argument("--follow-links", action="store_true", help="follow symbolic links")
        parser.add_argument("--dry-run", action="store_true", help="read all and store nothing")
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def handle(self, *, paths: list[str], as_json: bool, **given: Any) -> None:
        options = ImportOptions(
            actor=actor_named(given["owner"]),
            folder=given["folder"],
            workers=given["workers"],
            are_dates_kept=given["keep_dates"],
            are_hidden_included=given["include_hidden"],
            are_links_followed=given["follow_links"],
            are_duplicates_failures=given["on_duplicate"] == "fail",
            is_dry_run=given["dry_run"],
        )
        with progress_bar(
            "B", total=lambda: measure(paths, options), verbosity=given["verbosity"]
        ) as bar:
            report = import_files(
                paths,
                options,
                on_progress=bar.update,
                on_failure=lambda path, reason: tell(self.stderr, f"{path}: {reason}"),
            )
        self._tell(report, as_json=as_json, is_dry_run=options.is_dry_run)
        if report.is_interrupted:
            raise KeyboardInterrupt
        if report.failed:
            sys.exit(FAILED)

    def _tell(self, report: ImportReport, *, as_json: bool, is_dry_run: bool) -> None:
        if report.stopped:
            self.stderr.write(f"Stopped: {report.stopped} Make room and run it again: it goes on.")
        if as_json:
            numbers = asdict(report)
            del numbers["stopped"], numbers["is_interrupted"]
            self.stdout.write(json.dumps(numbers))
            return
        verb = "would be stored" if is_dry_run else "stored"
        self.stdout.write(
            f"{report.stored:,} files with {report.bytes:,} bytes {verb}, {report.duplicates:,} "
            f"there already, {report.skipped:,} passed over, {report.failed:,} failed; "
            f"{report.seconds:,.1f} s."
        )


def actor_named(name: str | None) -> Actor:
    """Return the user of this name, the system itself without one."""
    if name is None:
        return SYSTEM
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {name!r}.", returncode=USAGE)
    return actor_for(user, settings.FILESERVER_ACCESS)
