"""Imports that are ended before their end, and what is there afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from files.exceptions import StorageBusyError, StorageFullError
from files.models import File
from files.services import intake, uploads
from files.tests.import_runs import (
    assert_consistent,
    counts,
    make_tree,
    run,
)
from files.tests.running_server import MANAGE, environment_of, prepare, rows_of, wait_until
from files.tests.samples import noise

# Workers have connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder `library` with four files of many sizes."""
    return make_tree(tmp_path)


def test_a_full_disk_stops_at_once(tmp_path, monkeypatch):
    top = tmp_path / "many"
    top.mkdir()
    for number in range(500):
        (top / f"{number:03}").write_bytes(noise(100, number))
    commit, stored_before = uploads.commit, 100

    def fill(incoming: uploads.IncomingFile) -> File:
        if File.objects.count() >= stored_before:
            raise StorageFullError("There is no room left to store this; nothing was changed.")
        return commit(incoming)

    monkeypatch.setattr(uploads, "commit", fill)
    status, report, errors = run(top)
    assert status == 1
    assert report["stored"] == File.objects.count() <= stored_before
    assert report["failed"] == 1
    assert errors[-1] == (
        "Stopped: There is no room left to store this; nothing was changed. "
        "Make room and run it again: it goes on."
    )
    monkeypatch.undo()
    assert counts(run(top)[1]) == (500 - report["stored"], report["stored"], 0, 0)
    assert_consistent()


def test_a_busy_database_is_asked_again(tree, monkeypatch):
    commit, refusals = uploads.commit, iter([True, False, True])

    def refuse(incoming: uploads.IncomingFile) -> File:
        file = commit(incoming)
        if next(refusals, False):
            raise StorageBusyError("The database is busy.")
        return file

    monkeypatch.setattr(uploads, "commit", refuse)
    assert counts(run(tree / "a" / "small.bin", tree / "readme.txt")[1]) == (2, 0, 0, 0)
    assert_consistent()


def test_a_database_that_stays_busy_is_told(tree, monkeypatch):
    def refuse(incoming: uploads.IncomingFile) -> File:
        raise StorageBusyError("The database is busy.")

    monkeypatch.setattr(uploads, "commit", refuse)
    status, report, _ = run(tree)
    assert (status, counts(report)) == (1, (0, 0, 0, 4))
    assert {failure["reason"] for failure in report["failures"]} == {"The database is busy."}
    monkeypatch.undo()
    assert counts(run(tree)[1]) == (4, 0, 0, 0)


def test_an_error_in_a_worker_ends_the_import(tree, monkeypatch):
    monkeypatch.setattr(intake.Intake, "flush", lambda self: 1 / 0)
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        run(tree, "--workers", "3")
    assert threading.active_count() == before


def test_no_descriptor_is_left_open(tree):
    run(tree)  # Opens the database.
    before = os.listdir("/proc/self/fd")
    run(tree, tree / "never there", "--follow-links")
    assert os.listdir("/proc/self/fd") == before


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Return a folder with 3,000 files and one of 64 MiB."""
    top = tmp_path / "many"
    for number in range(3000):
        path = top / f"{number % 30:02}" / f"{number}.bin"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(noise(200, number))
    (top / "15" / "large.bin").write_bytes(noise(64 << 20))
    return top


@pytest.mark.live
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_it_goes_on_where_it_was_ended(many, tmp_path, end):
    data = tmp_path / "data"
    prepare(data)
    command = [*MANAGE, "import_files", str(many), "--workers", "2", "--json"]
    environment = environment_of(data)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        # After the first files, long before the last ones.
        wait_until(lambda: rows_of("file", data) > 0, 60)
        process.send_signal(end)
        output, errors = process.communicate(timeout=60)
    first = json.loads(output) if end == signal.SIGINT else None
    if first:
        assert process.returncode == 130
        assert errors.splitlines()[-1] == "Interrupted. Run it again: it goes on."
        assert 0 < first["stored"] < 3001
    else:
        assert process.returncode == -signal.SIGKILL
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    second = json.loads(again.stdout)
    assert second["stored"] + second["duplicates"] == 3001
    assert second["duplicates"] > 0
    if first:
        assert second["duplicates"] == first["stored"]
    files = json.loads(
        subprocess.run(
            [*MANAGE, "shell", "-v0", "-c", LIST_HASHES],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    assert files == {
        str(path.relative_to(many.parent)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in many.rglob("*.bin")
    }


# Reads every byte back, and prints what hash each name has.
LIST_HASHES = """
import json
from files.models import File
from files.storage import verify
files = list(File.objects.select_related("content"))
for file in files:
    verify(file)
print(json.dumps({f"{file.folder}/{file.name}": file.hash for file in files}))
"""
