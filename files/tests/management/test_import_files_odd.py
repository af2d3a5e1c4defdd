"""What a disk may hold beside plain files, and what may happen to them meanwhile."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from files.local_files import Found
from files.models import File
from files.services import importing
from files.tests.import_runs import (
    LARGE,
    assert_consistent,
    counts,
    make_tree,
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


def test_what_is_no_file_is_passed_over(tree):
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        # A socket's path is 108 bytes at most.
        place = os.open(tree, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{place}/socket")
        os.close(place)
        status, report, _ = run(tree, "/dev/null", tree / "pipe")
    assert (status, counts(report)) == (0, (4, 0, 4, 0))


def test_a_pipe_that_takes_a_files_place_is_not_waited_for(tree, monkeypatch):
    replace_when_found(monkeypatch, tree / "readme.txt", os.mkfifo)
    status, report, _ = run(tree)
    assert (status, counts(report)) == (1, (3, 0, 0, 1))
    assert report["failures"][0]["reason"] == "It is no file any more."


def replace_when_found(monkeypatch: Any, path: Path, make: Callable[[Path], object]) -> None:
    """Let `path` become something else between being found and being opened."""
    open_file = Found.open

    def replace(found: Found) -> int:
        if found.path == str(path):
            path.unlink()
            make(path)
        return open_file(found)

    monkeypatch.setattr(Found, "open", replace)


def test_a_link_that_takes_a_files_place_is_not_followed(tree, tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(b"secret")
    replace_when_found(
        monkeypatch, tree / "readme.txt", lambda path: path.symlink_to(tmp_path / "secret")
    )
    status, report, _ = run(tree)
    assert (status, counts(report)) == (1, (3, 0, 0, 1))
    assert b"secret" not in stored().values()


def test_a_file_that_vanishes_is_told(tree, monkeypatch):
    replace_when_found(monkeypatch, tree / "readme.txt", lambda path: None)
    status, report, _ = run(tree, tree / "never there")
    assert (status, counts(report)) == (1, (3, 0, 0, 2))
    assert {failure["reason"] for failure in report["failures"]} == {"No such file or directory."}


@pytest.mark.parametrize("follow", [False, True])
def test_links_are_followed_only_when_asked(tree, tmp_path, follow):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.txt").write_bytes(b"far")
    (tree / "to file").symlink_to(tmp_path / "elsewhere" / "far.txt")
    (tree / "to folder").symlink_to(tmp_path / "elsewhere")
    (tree / "a" / "loop").symlink_to(tree)
    (tree / "a" / "b" / "up").symlink_to("..")
    (tree / "self").symlink_to("self")
    status, report, _ = run(tree, *["--follow-links"] * follow)
    if follow:
        # `self` is an error; the two loops are passed over; far.txt is found twice.
        assert (status, counts(report)) == (1, (5, 1, 2, 1))
    else:
        assert (status, counts(report)) == (0, (4, 0, 5, 0))


def test_a_link_that_is_named_is_followed(tree, tmp_path):
    (tmp_path / "link").symlink_to(tree)
    run(tmp_path / "link")
    assert "link/readme.txt" in stored()


def test_names_that_are_no_utf8_are_shown_as_far_as_they_can_be(tree):
    Path(os.fsdecode(os.fsencode(tree) + b"/\xe9t\xe9")).mkdir()
    Path(os.fsdecode(os.fsencode(tree) + b"/\xe9t\xe9/na\xefve\n.txt")).write_bytes(b"latin")
    status, report, _ = run(tree)
    assert (status, counts(report)) == (0, (5, 0, 0, 0))
    assert "library/\ufffdt\ufffd/na\ufffdve.txt" in stored()


def test_names_that_cannot_be_are_told_in_one_line(tree):
    (tree / "\x1b\n").write_bytes(b"1")
    deep = tree.joinpath(*["d" * 200] * 3)
    deep.mkdir(parents=True)
    (deep / "x").write_bytes(b"2")
    status, report, errors = run(tree)
    assert (status, counts(report)) == (1, (4, 0, 0, 2))
    assert [failure["path"] for failure in report["failures"]] == [
        str(tree / "\x1b\n"),
        str(deep / "x"),
    ]
    assert errors[0].startswith(f"{tree}/\\x1b\\n: ")
    assert "holds no name" in errors[0]
    assert "The folder has 610 characters, the limit is 500." in errors[1]
    assert len(errors) == 2


def test_what_may_not_be_read_is_told(tree):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tree / "readme.txt").chmod(0)
    (tree / "a").chmod(0)
    try:
        status, report, _ = run(tree)
    finally:
        (tree / "a").chmod(0o700)
    assert (status, counts(report)) == (1, (1, 0, 0, 2))
    assert {failure["reason"] for failure in report["failures"]} == {"Permission denied."}


@pytest.mark.parametrize("size", [3000, LARGE, 20 << 20])
@pytest.mark.parametrize(
    "change",
    [
        lambda path: os.truncate(path, path.stat().st_size + 1),
        lambda path: os.truncate(path, 100),
        lambda path: path.write_bytes(noise(path.stat().st_size, 9)),
    ],
    ids=["grows", "shrinks", "is overwritten"],
)
def test_a_file_that_changes_while_it_is_read_is_not_stored(tree, monkeypatch, size, change):
    path = tree / "changing"
    path.write_bytes(noise(size, 5))
    os.utime(path, (0, 0))
    blocks = importing.DiskFile.blocks

    def change_first(source: importing.DiskFile) -> Any:
        if source.path == str(path):
            change(path)
        return blocks(source)

    monkeypatch.setattr(importing.DiskFile, "blocks", change_first)
    status, report, _ = run(tree)
    assert (status, counts(report)) == (1, (4, 0, 0, 1))
    assert report["failures"] == [{"path": str(path), "reason": "It changed while it was read."}]
    assert "library/changing" not in stored()
    assert_consistent()


def test_a_sparse_file_is_its_zeros(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as stream:
        stream.truncate(30 << 20)
    assert counts(run(path)[1]) == (1, 0, 0, 0)
    assert File.objects.get().hash == hashlib.sha256(bytes(30 << 20)).hexdigest()
    assert counts(run(path)[1]) == (0, 1, 0, 0)


def test_a_file_over_the_limit_is_not_read(tree, settings, monkeypatch):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 3000
    read_sizes = []
    blocks = importing.DiskFile.blocks

    def note(source: importing.DiskFile) -> Any:
        read_sizes.append(source.size)
        return blocks(source)

    monkeypatch.setattr(importing.DiskFile, "blocks", note)
    status, report, _ = run(tree)
    assert (status, counts(report)) == (1, (3, 0, 0, 1))
    assert report["failures"][0]["reason"] == (
        f"The file has {LARGE:,} bytes or more; the limit is 3,000."
    )
    assert sorted(read_sizes) == [0, 7, 3000]


def test_the_servers_own_data_are_left_out(tree, settings):
    data = tree / "var"
    data.mkdir()
    settings.FILESERVER_DATA_DIR = data
    (data / "secret_key").write_bytes(b"secret")
    status, report, _ = run(tree, data, f"{data}/")
    assert (status, counts(report)) == (0, (4, 0, 3, 0))
    assert b"secret" not in stored().values()


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_an_embedded_database_is_left_out(tree):
    (tree / "database").symlink_to(connection.settings_dict["NAME"])
    assert counts(run(tree, "--follow-links")[1]) == (4, 0, 1, 0)
