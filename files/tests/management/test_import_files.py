from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError
from django.db import connection

from files.models import Event, File
from files.tests.factories import make_file
from files.tests.import_runs import (
    LARGE,
    assert_consistent,
    counts,
    make_tree,
    rows_of,
    run,
    stored,
)
from files.tests.samples import noise

# Workers have connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder `library` with four files of many sizes."""
    return make_tree(tmp_path)


@pytest.mark.parametrize("workers", ["1", "4"])
def test_a_tree_is_taken_with_its_folders(tree, workers):
    status, report, errors = run(tree, "--workers", workers)
    assert (status, counts(report), errors) == (0, (4, 0, 0, 0), [])
    assert report["bytes"] == 7 + 3000 + LARGE
    assert stored() == {
        "library/readme.txt": b"read me",
        "library/empty": b"",
        "library/a/small.bin": noise(3000, 1),
        "library/a/b/large.bin": noise(LARGE, 2),
    }
    assert Event.objects.filter(name="file.uploaded").count() == 4
    assert_consistent()


def test_a_slash_at_the_end_leaves_the_name_out(tree):
    run(f"{tree}/")
    assert set(stored()) == {"/readme.txt", "/empty", "a/small.bin", "a/b/large.bin"}


def test_the_folder_that_one_is_in_has_no_name(tree, monkeypatch):
    monkeypatch.chdir(tree)
    run(".", "--folder", "old/ /x")
    assert set(stored()) >= {"old/x/readme.txt", "old/x/a/small.bin"}


def test_single_files_have_no_folder(tree):
    status, report, _ = run(tree / "readme.txt", tree / "a" / "small.bin")
    assert (status, counts(report)) == (0, (2, 0, 0, 0))
    assert set(stored()) == {"/readme.txt", "/small.bin"}


def test_running_it_again_reads_and_writes_nothing(tree):
    run(tree)
    with connection.cursor() as cursor:
        # Also a refused upload would be counted, and so written.
        tables = connection.introspection.table_names(cursor)
    before = {table: rows_of(table) for table in tables}
    status, report, _ = run(tree)
    assert (status, counts(report), report["bytes"]) == (0, (0, 4, 0, 0), 0)
    assert {table: rows_of(table) for table in tables} == before


@pytest.mark.parametrize("size", [3000, LARGE])
def test_other_bytes_of_the_same_name_and_size_are_taken(tree, size):
    path = tree / "file.bin"
    path.write_bytes(noise(size, 7))
    run(tree)
    os.utime(path, (0, 0))
    path.write_bytes(noise(size, 8))
    os.utime(path, (0, 0))
    assert counts(run(tree)[1]) == (1, 4, 0, 0)
    hashes = File.objects.filter(name="file.bin").values_list("hash", flat=True)
    assert set(hashes) == {hashlib.sha256(noise(size, seed)).hexdigest() for seed in (7, 8)}


@pytest.mark.parametrize("size", [5, LARGE])
@pytest.mark.parametrize("workers", ["1", "4"])
def test_the_same_bytes_are_stored_once(tmp_path, size, workers):
    top = tmp_path / "twins"
    top.mkdir()
    for number in range(20):
        (top / f"{number}.bin").write_bytes(noise(size))
    status, report, _ = run(top, "--workers", workers)
    assert (status, counts(report)) == (0, (1, 19, 0, 0))
    assert_consistent()


def test_duplicates_can_be_failures(tree):
    existing = make_file(b"read me")
    status, report, errors = run(tree, "--on-duplicate", "fail")
    assert (status, counts(report)) == (1, (3, 0, 0, 1))
    assert report["failures"] == [
        {
            "path": str(tree / "readme.txt"),
            "reason": f"The same bytes are stored already, as file {existing.pk}.",
        }
    ]
    assert errors == [f"{tree / 'readme.txt'}: {report['failures'][0]['reason']}"]


def test_a_dry_run_tells_and_stores_nothing(tree):
    (tree / "twin.txt").write_bytes(b"read me")
    (tree / "large twin").write_bytes(noise(LARGE, 2))
    make_file(b"")
    before = rows_of("file"), rows_of("event")
    status, report, _ = run(tree, "--dry-run", "--workers", "4")
    assert (status, counts(report)) == (0, (3, 3, 0, 0))
    assert report["bytes"] == 7 + 3000 + LARGE
    assert (rows_of("file"), rows_of("event")) == before


def test_dates_are_kept_and_none_is_in_the_future(tree):
    os.utime(tree / "readme.txt", (1_000_000_000, 1_000_000_000.5))
    os.utime(tree / "empty", (4_000_000_000, 4_000_000_000))
    os.utime(tree / "a" / "small.bin", (-10, -10))
    run(tree, "--keep-dates")
    dates = dict(File.objects.values_list("name", "upload_date"))
    assert dates["readme.txt"] == datetime.fromtimestamp(1_000_000_000.5, UTC)
    assert dates["small.bin"] == datetime.fromtimestamp(-10, UTC)
    assert abs(dates["empty"] - datetime.now(UTC)).total_seconds() < 60
    assert_consistent()


def test_files_belong_to_whom_they_shall(tree):
    user = get_user_model().objects.create_user("anna")
    run(tree, "--owner", "anna")
    assert set(File.objects.values_list("owner_id", flat=True)) == {user.pk}
    assert set(Event.objects.values_list("actor", flat=True)) == {"anna"}


def test_an_unknown_owner_is_told(tree):
    with pytest.raises(CommandError, match="There is no active user 'nobody'.") as error:
        run(tree, "--owner", "nobody")
    assert error.value.returncode == 2


def test_hidden_names_are_taken_when_asked_for(tree):
    (tree / ".git").mkdir()
    (tree / ".git" / "HEAD").write_bytes(b"ref")
    (tree / ".hidden").write_bytes(b"hidden")
    assert counts(run(tree)[1]) == (4, 0, 2, 0)
    assert counts(run(tree, "--include-hidden")[1]) == (2, 4, 0, 0)
    assert {"library/.git/HEAD", "library/.hidden"} <= set(stored())
