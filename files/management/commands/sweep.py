from __future__ import annotations

import json
import logging
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from files.child_processes import die_with_parent
from files.exceptions import FilesError
from files.management.exits import orderly_end, require_database
from files.processing.maintenance import Swept, sweep
from files.services.deletion import Emptied, empty_trash

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Empty the trash of what is past its days, give up the uploads that expired, remove the "
        "bytes of deleted files and of broken off uploads, and give the space back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would go")
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")
        parser.add_argument(
            "--every", type=float, metavar="SECONDS", help="go on for ever, as `serve` wants it"
        )

    def handle(self, *, dry_run: bool, as_json: bool, every: float | None, **options: Any) -> None:
        if every is None:
            with orderly_end(self, "What was removed is gone. Run it again: it goes on."):
                require_database(self.stderr)
                self._sweep_once(as_json=as_json, dry_run=dry_run)
            return
        die_with_parent()
        while True:
            try:
                empty_trash()
                sweep()
            except (DatabaseError, FilesError):
                # What is busy or away now is there at the next turn.
                logger.warning("The sweep was broken off.", exc_info=True)
            time.sleep(every)

    def _sweep_once(self, *, as_json: bool, dry_run: bool) -> None:
        emptied, swept = Emptied(0, 0), Swept(0, 0, 0)
        try:
            emptied = empty_trash(dry_run=dry_run)
            swept = sweep(dry_run=dry_run)
        except KeyboardInterrupt:
            self._report(emptied, swept, as_json=as_json, dry_run=dry_run)
            raise
        self._report(emptied, swept, as_json=as_json, dry_run=dry_run)

    def _report(self, emptied: Emptied, swept: Swept, *, as_json: bool, dry_run: bool) -> None:
        if as_json:
            trash = {"files": emptied.files, "bytes": emptied.bytes}
            self.stdout.write(json.dumps(asdict(swept) | {"trash": trash}))
            return
        verb, forgotten = "removed", "forgotten"
        if dry_run:
            verb, forgotten = f"would be {verb}", f"would be {forgotten}"
        uploads = swept.uploads
        self.stdout.write(
            f"{emptied.files:,} files with {emptied.bytes:,} bytes {verb} from the trash; "
            f"{uploads.unfinished:,} expired uploads with {uploads.bytes:,} bytes {verb}; "
            f"{uploads.finished:,} finished ones {forgotten}; "
            f"{swept.contents:,} contents with {swept.bytes:,} bytes {verb}; "
            f"{swept.pages:,} pages given back to the disk."
        )
