from __future__ import annotations

import io
import itertools
import json
import random
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from files.models import Chunk, File
from files.processing import verification
from files.tests.factories import make_file
from files.tests.running_server import MANAGE, environment_of
from files.tests.samples import noise

needs_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's file")


def verify(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_files", "--workers", "1", *arguments, stdout=out)
    return out.getvalue()


def damage(file: File) -> None:
    """Flip a bit of the file's first chunk."""
    chunk = Chunk.objects.filter(content=file.content).earliest("offset")
    chunk.data = bytes([chunk.data[0] ^ 4]) + bytes(chunk.data[1:])
    chunk.save(update_fields=["data"])


@pytest.mark.django_db
def test_whole_library_is_told_in_a_line():
    make_file()
    make_file(noise(5000))

    assert verify().startswith("2 files with 5,0")


@pytest.mark.django_db
def test_each_damage_is_told_and_the_command_fails():
    file, other = make_file(noise(5000), name="a.bin"), make_file(noise(2_000_000, 1), name="b.bin")
    damage(file)
    Chunk.objects.filter(content=other.content, offset__gt=0).delete()
    out = io.StringIO()

    with pytest.raises(CommandError, match="2 files are damaged") as error:
        call_command("verify_files", "--workers", "1", stdout=out)
    assert error.value.returncode == 1

    lines = out.getvalue().splitlines()
    assert lines[:2] == [
        f"file {file.pk} “a.bin”: bytes 0 to 5,000 of content {file.content_id} are damaged.",
        f"file {other.pk} “b.bin”: bytes 1,048,576 to 2,000,000 of content {other.content_id} "
        "are missing.",
    ]
    assert lines[2].startswith("2 files with 2,005,000 bytes verified")


@pytest.mark.django_db
def test_json_holds_all_for_a_script():
    file = make_file(noise(5000), name="a.bin")
    damage(file)
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("verify_files", "--json", "--workers", "1", stdout=out)

    report = json.loads(out.getvalue())
    assert (report["files"], report["bytes"], report["damaged_files"]) == (1, 5000, 1)
    (problem,) = report["problems"]
    assert problem["id"] == file.pk
    assert problem["name"] == "a.bin"
    assert problem["fault"] == "checksum"
    assert (problem["content_id"], problem["start"], problem["stop"]) == (file.content_id, 0, 5000)


@pytest.mark.django_db
def test_contents_of_no_file_fail_it_too():
    file = make_file(noise(5000))
    File.objects.filter(pk=file.pk).update(content=None, data=b"")
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("verify_files", "--json", "--workers", "1", stdout=out)

    report = json.loads(out.getvalue())
    assert report["unowned_contents"] == 1
    assert {problem["fault"] for problem in report["problems"]} == {"unowned", "size", "row"}


@pytest.mark.django_db
def test_only_what_was_asked_for_is_read():
    files = [make_file(noise(3000 + number)) for number in range(6)]
    File.objects.filter(pk=files[0].pk).update(upload_date=timezone.now() - timedelta(days=40))
    damage(files[0])
    since = (timezone.now() - timedelta(days=2)).date().isoformat()

    assert verify(str(files[1].pk), str(files[2].pk)).startswith("2 files")
    assert verify("--since", since).startswith("5 files")
    assert verify("--since", since, "--sample", "2").startswith("2 files")
    assert verify("--since", since, "--sample", "60%").startswith("3 files")
    assert verify("--since", f"{since}T00:00:00+02:00").startswith("5 files")


@pytest.mark.django_db
def test_unknown_file_is_refused():
    file = make_file()

    with pytest.raises(CommandError, match=f"no file {file.pk + 1}, {file.pk + 2}.") as refusal:
        verify(str(file.pk), str(file.pk + 2), str(file.pk + 1))
    assert refusal.value.returncode == 2


@pytest.mark.django_db
def test_the_last_number_that_can_be_an_id_is_looked_for():
    with pytest.raises(CommandError, match="There is no file 9223372036854775807.") as refusal:
        verify(str((1 << 63) - 1))
    assert refusal.value.returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize("id", [str(1 << 63), "9" * 23, "9" * 5000, "٣"])
def test_what_can_be_no_id_is_refused(id):
    with pytest.raises(CommandError, match="is not a whole number from 1 to 9223372036854775807"):
        verify(id)


@pytest.mark.django_db
@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_date_beyond_all_dates_is_refused(since):
    with pytest.raises(CommandError, match="is no date like"):
        verify("--since", since)


def test_a_number_too_large_is_a_wrong_usage():
    """As the shell sees it: a sentence and no traceback."""
    for command in (["verify_files", "9" * 23], ["file_stats", "--days", "99999999"]):
        result = subprocess.run([*MANAGE, *command], capture_output=True, text=True, check=False)
        assert result.returncode == 2
        assert "is not a whole number from 1 to" in result.stderr
        assert "Traceback" not in result.stderr


def end_at_third(monkeypatch, error: BaseException) -> None:
    """Let the verification break off with `error` when two files are read."""
    check, calls = verification.verify_file, itertools.count(1)

    def verify_file(*arguments):
        if next(calls) == 3:
            raise error
        return check(*arguments)

    monkeypatch.setattr(verification, "verify_file", verify_file)
    monkeypatch.setattr(verification, "UNIT_FILES", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_ctrl_c_tells_what_was_read_and_found(monkeypatch, capsys, json_option):
    files = [make_file(noise(3000 + number)) for number in range(4)]
    damage(files[0])
    end_at_third(monkeypatch, KeyboardInterrupt())

    with pytest.raises(SystemExit) as end:
        call_command("verify_files", *json_option)

    out, err = capsys.readouterr()
    assert end.value.code == 130
    assert err == "Interrupted.\n"
    if json_option:
        report = json.loads(out)
        assert (report["files"], report["bytes"], report["damaged_files"]) == (2, 6001, 1)
        assert [problem["id"] for problem in report["problems"]] == [files[0].pk]
    else:
        assert out.splitlines()[0].startswith(f"file {files[0].pk} ")
        assert out.splitlines()[1].startswith("2 files with 6,001 bytes verified")


@pytest.mark.django_db
def test_a_database_that_goes_away_is_not_taken_for_damage(monkeypatch, capsys):
    for number in range(4):
        make_file(noise(3000 + number))
    end_at_third(monkeypatch, OperationalError("server closed the connection unexpectedly"))

    with pytest.raises(CommandError, match="Broken off: server closed the") as error:
        call_command("verify_files")

    assert error.value.returncode == 3
    assert capsys.readouterr().out.startswith("2 files with 6,001 bytes verified")


@pytest.mark.django_db
def test_names_do_nothing_to_the_terminal():
    file = make_file(noise(5000))
    damage(file)
    File.objects.filter(pk=file.pk).update(name="\x1b[2J.bin")
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("verify_files", stdout=out)

    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [["0"], ["x"], ["--since", "soon"], ["--workers", "0"], ["--workers", "65"]]
    + [["--sample", text] for text in ("0", "0%", "101%", "x", "-1", "1e3", "nan%", "%")],
)
def test_wrong_options_are_refused(arguments):
    with pytest.raises(CommandError):
        verify(*arguments)


@pytest.fixture
def library(tmp_path) -> Library:
    """Return a library of files of many sizes, in processes and a database of its own."""
    library = Library(tmp_path / "data")
    library.run("migrate", "-v0")
    library.run("seed_demo", "--files", "150", "--size", "mixed")
    return library


class Library:
    """A data directory, and commands that are run on it."""

    def __init__(self, data: Path) -> None:
        self.environment = environment_of(data)
        self.database = data / "files.sqlite3"

    def run(self, *arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        process = subprocess.run(
            [*MANAGE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert process.returncode == fails, process.stderr
        return process

    def chunks(self) -> list[tuple[int, int, int, bytes]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute("SELECT content_id, offset, size, data FROM chunk").fetchall()


def found_by(process: subprocess.CompletedProcess[str]) -> list[tuple[str, int, int, int]]:
    return [
        (problem["fault"], problem["content_id"], problem["start"], problem["stop"])
        for problem in json.loads(process.stdout)["problems"]
    ]


@needs_sqlite
@pytest.mark.live
def test_bits_flipped_in_the_database_file_itself_are_found(library):
    """As a disk does it: beside SQLite, where no checksum of its own would tell."""
    raw = bytearray(library.database.read_bytes())
    # Those with bytes, together on a page, that no other has.
    known = [chunk for chunk in library.chunks() if raw.count(chunk[3][4000:4300] or b"no") == 1]
    flipped = random.Random(3).sample(known, 10)
    for *_, part in flipped:
        raw[raw.index(part[4000:4300]) + 50] ^= 0x10
    library.database.write_bytes(raw)

    process = library.run("verify_files", "--json", fails=True)

    assert sorted(found_by(process)) == sorted(
        ("checksum", content_id, offset, offset + size) for content_id, offset, size, _ in flipped
    )
    assert "files are damaged" in process.stderr


@needs_sqlite
@pytest.mark.live
def test_chunks_that_sqlite_cannot_read_are_named_and_others_are_read(library):
    """Their pages point nowhere: SQLite calls the whole file malformed."""
    raw = bytearray(library.database.read_bytes())
    long = [chunk for chunk in library.chunks() if chunk[2] > 100_000]
    known = [chunk for chunk in long if raw.count(chunk[3][60_000:60_300]) == 1][:2]
    for *_, part in known:
        page = raw.index(part[60_000:60_300]) // 32768 * 32768
        raw[page : page + 4] = b"\x7f\xff\xff\xff"
    library.database.write_bytes(raw)

    process = library.run("verify_files", "--json", fails=True)

    assert len(known) == 2
    assert sorted(found_by(process)) == sorted(
        ("unreadable", content_id, offset, offset + size) for content_id, offset, size, _ in known
    )
    assert json.loads(process.stdout)["files"] == 150
