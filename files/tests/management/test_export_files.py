from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import shutil
import stat
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from files.actors import SYSTEM
from files.models import Chunk, Content, File, Label
from files.processing import export as module
from files.processing import export_folder, export_zip
from files.services.deletion import purge_file
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

FILES = {
    "a.txt": b"hello",
    "empty.txt": b"",
    "folder/deep/naïve 文件.bin": noise(100_000),
    "folder/large.bin": noise((3 << 20) + 7),
}
LISTS = {"SHA256SUMS", "manifest.jsonl"}
UPLOADED = datetime(2025, 3, 4, 5, 6, 7, 890_123, tzinfo=UTC)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "export"


@pytest.fixture
def library() -> dict[str, File]:
    """Store FILES; return them by their paths."""
    made = {}
    for path, data in FILES.items():
        folder, _, name = path.rpartition("/")
        made[path] = make_file(data, folder=folder, name=name)
    File.objects.update(upload_date=UPLOADED)
    return made


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command; return its exit status and what it wrote on both streams."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command("export_files", *map(str, arguments), stdout=out, stderr=err)
    except SystemExit as ending:
        status = int(ending.code or 0)
    return status, out.getvalue(), err.getvalue()


def contents(target: Path) -> dict[str, bytes]:
    """Return the exported files by their paths."""
    if target.suffix == ".zip":
        with zipfile.ZipFile(target) as opened:
            assert opened.testzip() is None
            found = {name: opened.read(name) for name in opened.namelist()}
    else:
        found = {
            str(path.relative_to(target)): path.read_bytes()
            for path in target.rglob("*")
            if path.is_file()
        }
    return {path: data for path, data in found.items() if path not in LISTS}


def lines(target: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (target / "manifest.jsonl").read_text().splitlines()]


def damage(file: File) -> None:
    Chunk.objects.filter(content=file.content).update(data=b"damaged")


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_every_file_is_written(library, tmp_path, name):
    status, out, err = run(tmp_path / name)
    assert (status, err) == (0, "")
    assert out.startswith("4 files written, 0 there already, 3,245,740 bytes in all; 4 checked")
    assert contents(tmp_path / name) == FILES
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_sha256sum_checks_it(library, tmp_path, name):
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not installed")
    target = tmp_path / name
    run(target)
    if name.endswith(".zip"):
        zipfile.ZipFile(target).extractall(tmp_path / "unpacked")
        target = tmp_path / "unpacked"
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    checked = subprocess.run(command, cwd=target, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(": OK") == len(FILES)


def test_the_manifest_tells_all_that_is_known(library, target):
    file = library["folder/deep/naïve 文件.bin"]
    for name in ("z", "a"):
        file.labels.add(Label.objects.create(space_id=file.space_id, name=name))
    run(target)
    assert lines(target)[2] == {
        "id": file.pk,
        "name": "naïve 文件.bin",
        "folder": "folder/deep",
        "path": "folder/deep/naïve 文件.bin",
        "size": 100_000,
        "hash": file.hash,
        "upload_date": "2025-03-04T05:06:07.890123+00:00",
        "mime_type": file.mime_type,
        "labels": ["a", "z"],
    }


def test_times_are_those_of_the_upload(library, target):
    run(target)
    for path in FILES:
        info = (target / path).stat()
        assert info.st_mtime_ns == 1741064767_890_123_000
        assert stat.S_IMODE(info.st_mode) & 0o133 == 0


def test_names_are_made_safe_and_the_lists_keep_theirs(target):
    for name, folder in [
        *(("report.pdf", ""), ("REPORT.pdf", ""), ("CON", "a:b"), ("x", "../../y")),
        *((name, "") for name in ("SHA256SUMS", "manifest.jsonl", ".export.part")),
    ]:
        make_file(name=name, folder=folder)
    assert run(target)[0] == 0
    assert contents(target).keys() == {
        *("report.pdf", "REPORT (2).pdf", "a_b/_CON", "y/x"),
        *("SHA256SUMS (2)", "manifest (2).jsonl", ".export (2).part"),
    }
    assert {line["name"] for line in lines(target)} >= {"CON", "SHA256SUMS"}
    assert {line["folder"] for line in lines(target)} == {"", "a:b", "y"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["suffix=bin"], {"folder/deep/naïve 文件.bin", "folder/large.bin"}),
        (["suffix=bin", "min_size=1000000"], {"folder/large.bin"}),
        (["suffix=bin", "suffix=txt", "folder="], set(FILES)),
        (["q=naïve"], {"folder/deep/naïve 文件.bin"}),
        (["name=nothing"], set()),
    ],
)
def test_only_what_the_filters_ask_for(library, target, filters, expected):
    assert run(target, *(f"--filter={text}" for text in filters))[0] == 0
    assert contents(target).keys() == expected


@pytest.mark.parametrize("text", ["suffix", "colour=red", "min_size=x", "ordering=name", "=", ""])
def test_other_filters_are_refused(library, target, text):
    with pytest.raises(CommandError) as refusal:
        run(target, "--filter", text)
    assert refusal.value.returncode == 2
    assert not target.exists()


def test_a_second_run_writes_only_what_is_missing_or_wrong(library, target):
    run(target)
    (target / "a.txt").unlink()
    (target / "folder/large.bin").write_bytes(noise((3 << 20) + 7, seed=1))
    os.utime(target / "empty.txt", (0, 0))
    kept = (target / "folder/deep/naïve 文件.bin").stat().st_ino
    make_file(b"new", name="new.txt")
    status, out, _ = run(target, "--json")
    report = json.loads(out)
    assert (status, report["written"], report["kept"], report["checked"]) == (0, 3, 2, 3)
    assert contents(target) == FILES | {"new.txt": b"new"}
    assert (target / "folder/deep/naïve 文件.bin").stat().st_ino == kept
    assert (target / "empty.txt").stat().st_mtime == pytest.approx(UPLOADED.timestamp())
    assert len(lines(target)) == 5


def test_what_was_broken_off_goes_on(library, target, monkeypatch):
    def rename(*arguments, **options):
        if arguments[1] == "large.bin":
            raise KeyboardInterrupt
        return os_rename(*arguments, **options)

    os_rename = os.rename
    monkeypatch.setattr(os, "rename", rename)
    status, out, err = run(target)
    assert (status, out) == (130, "3 of 4 files done, 0 failed.\n")
    assert err == "Interrupted. Run again on a folder, it goes on.\n"
    so_far = json.loads(run(target, "--json")[1])
    assert so_far == {"done": 3, "files": 4, "failures": []}
    monkeypatch.undo()
    assert {path.name for path in target.iterdir()} == {
        *("a.txt", "empty.txt", "folder", export_folder.MARK_NAME),
    }
    # As kill -9 leaves it.
    (target / export_folder.PART_NAME).write_bytes(b"half")
    status, out, _ = run(target, "--json")
    assert (status, json.loads(out)["kept"]) == (0, 3)
    assert contents(target) == FILES


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_a_damaged_file_is_named_and_the_others_are_exported(library, tmp_path, name):
    damaged = [library["folder/large.bin"], library["folder/deep/naïve 文件.bin"]]
    # Further on: half of it is written when the damage is found.
    Chunk.objects.filter(content_id=damaged[0].content_id, offset=2 << 20).update(data=b"damaged")
    damage(damaged[1])
    status, out, err = run(tmp_path / name)
    assert status == 1
    assert "2 files written" in out
    assert "2 failed" in out
    for file in damaged:
        assert f"file {file.pk}, folder/" in err
    assert contents(tmp_path / name) == {path: FILES[path] for path in ("a.txt", "empty.txt")}


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_bytes_of_another_file_are_a_failure(library, tmp_path, name):
    for path in ("a.txt", "folder/large.bin"):
        File.objects.filter(pk=library[path].pk).update(hash="0" * 63 + path[0])
    status, out, _ = run(tmp_path / name, "--json")
    report = json.loads(out)
    assert (status, report["failed"]) == (1, 2)
    assert {failure["path"] for failure in report["failures"]} == {"a.txt", "folder/large.bin"}
    assert len(contents(tmp_path / name)) == 2


def test_what_is_deleted_meanwhile_is_no_failure(library, target, monkeypatch):
    file = library["folder/large.bin"]
    put = export_folder.FolderTarget.put

    def delete_first(self, wanted, path):
        if wanted.pk == file.pk:
            purge_file(actor=SYSTEM, file_id=file.pk)
            Chunk.objects.filter(content=file.content).delete()
        return put(self, wanted, path)

    monkeypatch.setattr(export_folder.FolderTarget, "put", delete_first)
    status, out, _ = run(target, "--json")
    report = json.loads(out)
    assert (status, report["gone"], report["failed"], report["written"]) == (0, 1, 0, 3)


def test_the_trash_is_left_out(library, target):
    File.objects.filter(name="a.txt").update(deleted_at=timezone.now())
    run(target)
    assert "a.txt" not in contents(target)


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_what_the_disk_changed_is_found(library, tmp_path, name, monkeypatch):
    """The bytes on the disk change between writing and checking."""
    kind = export_zip.ZipTarget if name.endswith(".zip") else export_folder.FolderTarget
    finish = kind.finish

    def finish_and_spoil(self, manifest):
        finish(self, manifest)
        if kind is export_folder.FolderTarget:
            (tmp_path / name / "a.txt").write_bytes(b"jello")
        else:
            self._file.seek(0)
            place = self._file.read().index(b"hello")
            self._file.seek(place)
            self._file.write(b"j")

    monkeypatch.setattr(kind, "finish", finish_and_spoil)
    status, _, err = run(tmp_path / name)
    assert status == 1
    assert "a.txt: differs from what was written" in err
    # A folder can be mended by running again; of an archive nothing is left.
    assert os.listdir(tmp_path) == ([] if name.endswith(".zip") else [name])
    monkeypatch.undo()
    assert run(tmp_path / name)[0] == 0
    assert contents(tmp_path / name) == FILES


def test_no_check_reads_nothing_again(library, target, monkeypatch):
    monkeypatch.setattr(export_folder.FolderTarget, "read", None)
    status, out, _ = run(target, "--no-check", "--json")
    assert (status, json.loads(out)["checked"]) == (0, 0)


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_a_dry_run_makes_nothing(library, tmp_path, name):
    _, out, _ = run(tmp_path / name, "--dry-run")
    assert out == "4 files with 3,245,740 bytes would be exported.\n"
    _, out, _ = run(tmp_path / name, "--dry-run", "--json", "--filter=suffix=txt")
    assert json.loads(out) == {"files": 2, "bytes": 5}
    assert os.listdir(tmp_path) == []


def test_more_files_than_a_page(target, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 3)
    for number in range(10):
        make_file(name=f"{number}")
    File.objects.update(upload_date=UPLOADED)
    run(target)
    assert [line["path"] for line in lines(target)] == [f"{number}" for number in range(10)]


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
class TestRefusedTargets:
    def refused(self, target: Path, options: list[str]) -> str:
        with pytest.raises(CommandError) as refusal:
            run(target, *options)
        assert refusal.value.returncode == 2
        return str(refusal.value)

    def test_a_file(self, library, target, options):
        target.write_text("mine")
        assert "is no folder" in self.refused(target, options)
        assert target.read_text() == "mine"

    @pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
    def test_an_archive_that_is_there(self, library, tmp_path, options, kind):
        target = tmp_path / "export.zip"
        if kind == "file":
            target.write_text("mine")
        elif kind == "folder":
            target.mkdir()
        else:
            target.symlink_to(tmp_path / "elsewhere")
        assert "is there already" in self.refused(target, options)
        assert os.listdir(tmp_path) == ["export.zip"]

    def test_an_archive_in_no_folder(self, library, tmp_path, options):
        assert "no folder" in self.refused(tmp_path / "none" / "a.zip", options)

    @pytest.mark.parametrize("name", ["a.txt", "manifest.jsonl"])
    def test_a_folder_of_other_things(self, library, target, options, name):
        target.mkdir()
        (target / name).write_text('{"mine": 1}\n')
        assert "other things" in self.refused(target, options)
        assert os.listdir(target) == [name]

    def test_a_link_to_nothing(self, library, tmp_path, target, options):
        target.symlink_to(tmp_path / "elsewhere")
        assert "is no folder" in self.refused(target, options)


def test_links_in_the_tree_are_not_followed(library, target, tmp_path):
    run(target)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("mine")
    (target / "a.txt").unlink()
    (target / "a.txt").symlink_to(outside / "victim")
    shutil.rmtree(target / "folder")
    (target / "folder").symlink_to(outside)
    (target / export_folder.PART_NAME).symlink_to(outside / "victim")
    status, _, err = run(target)
    assert status == 1
    assert "is a link or a folder" in err
    assert err.count("is a link or a file, and no folder") == 2
    assert os.listdir(outside) == ["victim"]
    assert (outside / "victim").read_text() == "mine"
    assert [line["path"] for line in lines(target)] == ["empty.txt"]


def test_a_hard_link_is_not_written_through(library, target, tmp_path):
    run(target)
    (tmp_path / "victim").write_text("other")
    (target / "a.txt").unlink()
    os.link(tmp_path / "victim", target / "a.txt")
    os.link(tmp_path / "victim", target / export_folder.PART_NAME)
    assert run(target)[0] == 0
    assert (tmp_path / "victim").read_text() == "other"
    assert contents(target) == FILES


def test_a_link_in_place_of_the_part_of_an_archive(library, tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "export.zip.part").symlink_to(tmp_path / "victim")
    with pytest.raises(CommandError, match="broken off"):
        run(tmp_path / "export.zip")
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_two_at_once_do_not_mix(library, tmp_path, name):
    target = tmp_path / name
    if name.endswith(".zip"):
        other = os.open(tmp_path / "export.zip.part", os.O_RDWR | os.O_CREAT)
        os.write(other, b"others")
    else:
        run(target)
        other = os.open(target, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(CommandError, match="Another export"):
        run(target)
    if name.endswith(".zip"):
        assert os.pread(other, 10, 0) == b"others"
    os.close(other)
    assert run(target)[0] == 0


def test_an_archive_that_was_killed_is_written_over(library, tmp_path):
    (tmp_path / "export.zip.part").write_bytes(noise(5 << 20))
    assert run(tmp_path / "export.zip")[0] == 0
    assert contents(tmp_path / "export.zip") == FILES


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_a_full_disk_ends_it(library, tmp_path, name, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CommandError, match="broken off: .*No space left"):
        run(tmp_path / name)
    if name.endswith(".zip"):
        assert os.listdir(tmp_path) == []


def test_an_empty_library(target):
    assert run(target)[0] == 0
    assert run(target)[0] == 0
    assert {path.name for path in target.iterdir()} == LISTS


def test_names_do_nothing_to_the_terminal(target):
    file = make_file(noise(5000), name="a.bin", folder="b")
    File.objects.filter(pk=file.pk).update(name="\x1b[2J.bin")
    damage(file)
    status, _, err = run(target)
    assert status == 1
    assert "\x1b" not in err
    assert Content.objects.count() == 1
