from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import DuplicateFileError
from files.management.tables import share, size, table
from files.services import resumable, uploads
from files.services.deletion import delete_file
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


def stats(*arguments: str) -> str:
    out = io.StringIO()
    call_command("file_stats", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def library() -> None:
    make_file(b"abc", name="報告書.txt")
    make_file(noise(5_000_000), name="big.bin")
    make_file(b"none", name="none")
    delete_file(actor=SYSTEM, file_id=make_file(b"gone", name="gone.txt").pk)
    with pytest.raises(DuplicateFileError):
        make_file(b"abc")
    begun = uploads.begin(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="half")
    uploads.append(begun, noise(9 << 20, seed=1))
    upload = resumable.create_upload(
        actor=SYSTEM, space_id=DEFAULT_SPACE_ID, size=7 << 20, name="later"
    )
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)
    resumable.append(piece, noise(3 << 20, seed=2))
    resumable.end_piece(piece)


def rows_of(text: str) -> dict[str, list[str]]:
    """Return the cells behind each line's first word."""
    lines = [line.split("  ") for line in text.splitlines() if line]
    return {cells[0]: [cell.strip() for cell in cells[1:] if cell.strip()] for cells in lines}


@pytest.mark.usefixtures("library")
def test_tables_tell_all_sides_of_the_library():
    rows = rows_of(stats())

    assert rows["in the list"] == ["3", "4.8 MiB"]
    assert rows["in the trash"] == ["1", "4 bytes"]
    assert rows["unfinished uploads"] == ["1", "3.0 MiB"]
    assert rows["last byte of the oldest (UTC)"] == [f"{timezone.now():%Y-%m-%d %H:%M}"]
    assert rows["others under way or broken off"] == ["1", "8.0 MiB"]
    assert rows["duplicates refused"] == ["1"]
    assert rows["bin"] == ["1", "4.8 MiB", "100.0%"]
    assert rows["(none)"] == ["1", "4 bytes", "0.0%"]
    assert rows["database"] == ["4", "4.8 MiB"]
    assert rows[str(timezone.now().date())] == ["+3", "+4.8 MiB", "1"]
    assert rows["big.bin"][0] == "4.8 MiB"


@pytest.mark.usefixtures("library")
def test_json_holds_the_same():
    report = json.loads(stats("--json", "--days", "7"))

    assert report["files"] == {"count": 3, "bytes": 5_000_007}
    assert report["trash"] == {"count": 1, "bytes": 4}
    assert report["receiving"] == {"count": 1, "bytes": 8 << 20}
    assert report["uploads"].pop("oldest").startswith(str(timezone.now().date()))
    assert report["uploads"] == {"count": 1, "bytes": 3 << 20, "to_come": 4 << 20}
    assert report["duplicates_refused"] == 1
    assert [one["suffix"] for one in report["types"]] == ["", "bin", "txt"]
    assert len(report["days"]) == 7
    assert report["days"][0]["day"] == str(timezone.now().date() - timedelta(days=6))
    assert [one["name"] for one in report["largest"]] == ["big.bin", "none", "報告書.txt"]
    assert set(report) == {
        "files", "types", "days", "homes", "trash", "uploads", "receiving", "duplicates_refused",
        "largest", "free_bytes",
    }  # fmt: skip


def test_empty_library_is_told():
    rows = rows_of(stats())

    assert rows["in the list"] == ["0", "0 bytes"]
    assert rows["unfinished uploads"] == ["0", "0 bytes"]
    assert "last byte of the oldest (UTC)" not in rows
    assert "–" in rows


@pytest.mark.parametrize("days", ["0", "-1", "x", "3661", "99999999", "9" * 5000])
def test_wrong_number_of_days_is_refused(days):
    with pytest.raises(CommandError, match="is not a whole number from 1 to 3660"):
        stats(f"--days={days}")


def test_days_go_ten_years_back():
    assert len(json.loads(stats("--json", "--days", "3660"))["days"]) == 3660


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1.0 KiB"), (5 << 40, "5.0 TiB")]
    + [(-2048, "-2.0 KiB"), (3 << 60, "3,072.0 PiB")],
)
def test_size_is_told_in_a_fitting_unit(count, text):
    assert size(count) == text


def test_columns_are_aligned_in_any_script():
    assert table(("a", "b"), [("報告", "1"), ("é", "22")]).splitlines() == [
        "a      b",
        "報告   1",
        "é     22",
    ]
    assert share(1, 0) == ""
