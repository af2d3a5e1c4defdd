from __future__ import annotations

import json
import re
import time
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from files.management.options import number_from
from files.processing.verification import Problem, Selection, unowned_contents, verify_files


def sample(text: str) -> dict[str, Any]:
    """Return the option's fields of a Selection: "100" files or "2.5%" of them."""
    match = re.fullmatch(r"([0-9]+)|([0-9]+(?:\.[0-9]+)?)%", text)
    if match and match[1] and int(match[1]) > 0:
        return {"sample": int(match[1])}
    if match and match[2] and 0 < float(match[2]) <= 100:
        return {"percent": float(match[2])}
    raise ArgumentTypeError(f"{text} is neither a number of files (100) nor a part of them (5%)")


def moment(text: str) -> datetime:
    """Return the option's date or date and time, in UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no date like 2026-03-01") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Read every byte of the files again, and name each that is not as it was uploaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "ids", nargs="*", type=number_from(1), metavar="ID", help="only these files"
        )
        parser.add_argument(
            "--sample", type=sample, metavar="N|P%", help="so many files by chance, or so many %%"
        )
        parser.add_argument(
            "--since", type=moment, metavar="DATE", help="only what was uploaded from then on"
        )
        parser.add_argument(
            "--workers",
            type=number_from(1),
            default=1,
            help="threads that read (1); more help with long files where cores are idle",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def handle(
        self,
        *,
        ids: list[int],
        sample: dict[str, Any] | None,
        since: datetime | None,
        workers: int,
        as_json: bool,
        **options: Any,
    ) -> None:
        selection = Selection(ids=frozenset(ids), since=since, **(sample or {}))
        try:
            report = self._verify(selection, workers, as_json=as_json)
        except DatabaseError as error:
            raise CommandError(f"The verification was broken off: {error}.") from error
        if as_json:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(
                "{files:,} files with {bytes:,} bytes verified in {seconds:,.1f} s "
                "({megabytes_per_second:,.0f} MB/s).".format(**report)
            )
        if damaged := report["damaged_files"]:
            raise CommandError(f"{damaged:,} files are damaged.")
        if unowned := report["unowned_contents"]:
            raise CommandError(f"{unowned:,} contents are kept for no file.")

    def _verify(self, selection: Selection, workers: int, *, as_json: bool) -> dict[str, Any]:
        """Verify, tell of each problem as it is found, and return the report."""
        if missing := selection.unknown_ids():
            raise CommandError(f"There is no file {', '.join(map(str, missing))}.")
        report: dict[str, Any] = {"files": 0, "bytes": 0, "damaged_files": 0}
        problems: list[dict[str, Any]] = []

        def tell(problem: Problem, **file: Any) -> None:
            problems.append(file | asdict(problem) | {"text": str(problem)})
            if not as_json:
                of = "file {id} “{name}”: ".format(**file) if file else ""
                with tqdm.external_write_mode():
                    self.stdout.write(f"{of}{problem}.")

        start = time.monotonic()
        _, size = selection.count()
        with tqdm(total=size, unit="B", unit_scale=True, disable=None) as progress:
            for verified in verify_files(selection, workers=workers, on_progress=progress.update):
                report["files"] += 1
                report["bytes"] += verified.size
                report["damaged_files"] += bool(verified.problems)
                for problem in verified.problems:
                    tell(problem, id=verified.file_id, name=verified.name)
        unowned = list(unowned_contents()) if selection.is_whole else []
        for problem in unowned:
            tell(problem)
        seconds = time.monotonic() - start
        return report | {
            "unowned_contents": len(unowned),
            "seconds": round(seconds, 3),
            "megabytes_per_second": report["bytes"] / 1e6 / max(seconds, 0.001),
            "problems": problems,
        }
