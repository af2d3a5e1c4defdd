from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from files.actors import DEFAULT_SPACE_ID
from files.management.exits import FilesCommand
from files.management.options import number_from
from files.management.tables import share, size, table
from files.services.statistics import LibraryStatistics, library_statistics

# Ten years; as the API has it.
MOST_DAYS = 3660


class Command(FilesCommand):
    help = "Tell how many files of which type there are, how the library grows and what is free."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days", type=number_from(1, MOST_DAYS), default=30, help="days of growth to show (30)"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def handle(self, *, days: int, as_json: bool, **options: Any) -> None:
        statistics = library_statistics(space_id=DEFAULT_SPACE_ID, days=days)
        if as_json:
            self.stdout.write(json.dumps(as_dict(statistics), cls=DjangoJSONEncoder))
        else:
            self.stdout.write("\n\n".join(tables(statistics)))


def as_dict(statistics: LibraryStatistics) -> dict[str, Any]:
    """Return the figures as JSON tells them; of the largest files what a script asks for."""
    figures = asdict(replace(statistics, largest=[]))
    figures["largest"] = [
        {"id": file.pk, "name": file.name, "size": file.size, "upload_date": file.upload_date}
        for file in statistics.largest
    ]
    return figures


def tables(statistics: LibraryStatistics) -> Iterator[str]:
    """Yield a table for each side of the library."""
    files, trash, receiving = statistics.files, statistics.trash, statistics.receiving
    uploads, free = statistics.uploads, statistics.free_bytes
    oldest = f"{uploads.oldest:%Y-%m-%d %H:%M}" if uploads.oldest else ""
    yield table(
        ("Library", "files", "size"),
        [
            ("in the list", f"{files.count:,}", size(files.bytes)),
            ("in the trash", f"{trash.count:,}", size(trash.bytes)),
            ("unfinished uploads", f"{uploads.count:,}", size(uploads.bytes)),
            *([("last byte of the oldest (UTC)", "", oldest)] if oldest else []),
            ("others under way or broken off", f"{receiving.count:,}", size(receiving.bytes)),
            ("duplicates refused", f"{statistics.duplicates_refused:,}", ""),
            ("room left", "", "unknown" if free is None else size(free)),
        ],
    )
    types = sorted(statistics.types, key=lambda one: (-one.bytes, one.suffix))
    yield table(
        ("Type", "files", "size", "share"),
        [
            (
                one.suffix or "(none)",
                f"{one.count:,}",
                size(one.bytes),
                share(one.bytes, files.bytes),
            )
            for one in types
        ],
    )
    yield table(
        ("Home", "files", "size"),
        [(one.home, f"{one.count:,}", size(one.bytes)) for one in statistics.homes],
    )
    # A line for each day on which nothing happened would hide the others.
    yield table(
        ("Growth (UTC)", "files", "size", "duplicates refused"),
        [
            (str(one.day), f"{one.count:+,}", size(one.bytes, "+"), f"{one.duplicates:,}")
            for one in statistics.days
            if one.count or one.bytes or one.duplicates
        ],
    )
    yield table(
        ("Largest", "size", "id", "uploaded"),
        [
            (file.name, size(file.size), str(file.pk), f"{file.upload_date:%Y-%m-%d}")
            for file in statistics.largest
        ],
    )
