from __future__ import annotations

import json
import logging
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from files.child_processes import die_with_parent
from files.processing.maintenance import sweep

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Remove the bytes of deleted and broken off uploads and give the space back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would go")
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")
        parser.add_argument(
            "--every", type=float, metavar="SECONDS", help="go on for ever, as `serve` wants it"
        )

    def handle(self, *, dry_run: bool, as_json: bool, every: float | None, **options: Any) -> None:
        if every is None:
            try:
                swept = sweep(dry_run=dry_run)
            except DatabaseError as error:
                raise CommandError(f"The sweep was broken off: {error}.") from error
            self._report(swept, as_json=as_json, dry_run=dry_run)
            return
        die_with_parent()
        while True:
            try:
                sweep()
            except DatabaseError:
                # What is busy or away now is there at the next turn.
                logger.warning("The sweep was broken off.", exc_info=True)
            time.sleep(every)

    def _report(self, swept: Any, *, as_json: bool, dry_run: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(swept)))
            return
        verb = "would be removed" if dry_run else "removed"
        self.stdout.write(
            f"{swept.contents:,} contents with {swept.bytes:,} bytes {verb}; "
            f"{swept.pages:,} pages given back to the disk."
        )
