from __future__ import annotations

import contextlib
import json
import re
import time
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from files.management.exits import FAILED, USAGE, FilesCommand
from files.management.options import MOST_ID, MOST_WORKERS, number_from
from files.management.progress import progress_bar, tell
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
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ArgumentTypeError(f"{text} is no date like 2026-03-01") from error


@dataclass(slots=True)
class Report:
    """What was read and found so far."""

    files: int = 0
    bytes: int = 0
    damaged_files: int = 0
    unowned_contents: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)


class Command(FilesCommand):
    help = "Read every byte of the files again, and name each that is not as it was uploaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "ids", nargs="*", type=number_from(1, MOST_ID), metavar="ID", help="only these files"
        )
        parser.add_argument(
            "--sample", type=sample, metavar="N|P%", help="so many files by chance, or so many %%"
        )
        parser.add_argument(
            "--since", type=moment, metavar="DATE", help="only what was uploaded from then on"
        )
        parser.add_argument(
            "--workers",
            type=number_from(1, MOST_WORKERS),
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
        if missing := selection.unknown_ids():
            text = f"There is no file {', '.join(map(str, missing))}."
            raise CommandError(text, returncode=USAGE)
        report = Report()
        try:
            self._verify(selection, workers, report, options["verbosity"], as_json=as_json)
        except (KeyboardInterrupt, Error):
            self._sum_up(report, as_json=as_json)
            raise
        self._sum_up(report, as_json=as_json)
        if report.damaged_files:
            text = f"{report.damaged_files:,} files are damaged."
            raise CommandError(text, returncode=FAILED)
        if report.unowned_contents:
            text = f"{report.unowned_contents:,} contents are kept for no file."
            raise CommandError(text, returncode=FAILED)

    def _verify(
        self, selection: Selection, workers: int, report: Report, verbosity: int, *, as_json: bool
    ) -> None:
        """Verify, tell of each problem as it is found, and count in the report."""

        def found(problem: Problem, **file: Any) -> None:
            report.problems.append(file | asdict(problem) | {"text": str(problem)})
            if not as_json:
                of = "file {id} “{name}”: ".format(**file) if file else ""
                tell(self.stdout, f"{of}{problem}.")

        bar = progress_bar("B", total=lambda: selection.count()[1], verbosity=verbosity)
        with (
            bar,
            contextlib.closing(
                # Closed also on Ctrl-C: what waits for a worker is not read any more.
                verify_files(selection, workers=workers, on_progress=bar.update)
            ) as verification,
        ):
            for verified in verification:
                report.files += 1
                report.bytes += verified.size
                report.damaged_files += bool(verified.problems)
                for problem in verified.problems:
                    found(problem, id=verified.file_id, name=verified.name)
        for problem in unowned_contents() if selection.is_whole else ():
            report.unowned_contents += 1
            found(problem)

    def _sum_up(self, report: Report, *, as_json: bool) -> None:
        seconds = time.monotonic() - report.start
        speed = report.bytes / 1e6 / max(seconds, 0.001)
        if as_json:
            numbers = asdict(report)
            del numbers["start"]
            times = {"seconds": round(seconds, 3), "megabytes_per_second": speed}
            self.stdout.write(json.dumps(numbers | times))
            return
        self.stdout.write(
            f"{report.files:,} files with {report.bytes:,} bytes verified in {seconds:,.1f} s "
            f"({speed:,.0f} MB/s)."
        )
