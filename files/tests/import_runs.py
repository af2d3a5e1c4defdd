"""Runs the command `import_files` and looks at what it stored; for its tests."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from files.models import Content, File, Total
from files.services.intake import SMALL_SIZE
from files.storage import read, verify
from files.tests.samples import noise

# The smallest file that has a transaction of its own.
LARGE = SMALL_SIZE + 1


def make_tree(folder: Path) -> Path:
    """Return a folder `library` with files of many sizes, some in folders."""
    top = folder / "source" / "library"
    (top / "a" / "b").mkdir(parents=True)
    (top / "readme.txt").write_bytes(b"read me")
    (top / "empty").write_bytes(b"")
    (top / "a" / "small.bin").write_bytes(noise(3000, 1))
    (top / "a" / "b" / "large.bin").write_bytes(noise(LARGE, 2))
    return top


def run(*arguments: str | Path) -> tuple[int, dict[str, Any], list[str]]:
    """Run the command; returns its exit status, its report and the lines on stderr."""
    output, errors = io.StringIO(), io.StringIO()
    try:
        call_command("import_files", *map(str, arguments), "--json", stdout=output, stderr=errors)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    report = json.loads(output.getvalue())
    assert set(report) == {
        *("stored", "duplicates", "skipped", "failed", "bytes", "seconds", "failures")
    }
    assert len(report["failures"]) == report["failed"]
    return status, report, errors.getvalue().splitlines()


def assert_consistent() -> None:
    """Every byte is as it was read, is counted, and belongs to somebody."""
    files = list(File.objects.select_related("content"))
    for file in files:
        verify(file)
    totals = Total.objects.exclude(suffix=None).aggregate(Sum("count"), Sum("bytes"))
    assert totals["count__sum"] == len(files)
    assert totals["bytes__sum"] == sum(file.size for file in files)
    assert not Content.objects.filter(state=Content.State.STORED, files=None).exists()


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return report["stored"], report["duplicates"], report["skipped"], report["failed"]


def stored() -> dict[str, bytes]:
    """Return the bytes of all files by folder and name."""
    return {
        f"{file.folder}/{file.name}": b"".join(read(file, 0, file.size))
        for file in File.objects.select_related("content")
    }


def rows_of(table: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
        return list(cursor.fetchall())
