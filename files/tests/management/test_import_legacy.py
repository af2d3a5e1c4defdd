from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from files.exceptions import StorageFullError
from files.models import File
from files.services import legacy, legacy_source, uploads
from files.services.intake import SMALL_SIZE
from files.services.legacy_source import SLICE_SIZE, LegacyTable, open_table
from files.storage import read
from files.tests.factories import make_file
from files.tests.legacy_table import LegacyDatabase, legacy_database, server_variable
from files.tests.running_server import MANAGE, environment_of, prepare
from files.tests.samples import noise, png

pytestmark = pytest.mark.django_db

LARGE = SLICE_SIZE + 3


@pytest.fixture
def old(tmp_path: Path) -> Iterator[LegacyDatabase]:
    """Return an old server's SQLite database, with an empty table."""
    with legacy_database("sqlite", tmp_path) as database:
        yield database


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("mysql", marks=pytest.mark.live),
        pytest.param("postgresql", marks=pytest.mark.live),
    ]
)
def any_old(request, tmp_path: Path) -> Iterator[LegacyDatabase]:
    """Return an old server's database of each kind."""
    if request.param != "sqlite" and not os.environ.get(server_variable(request.param)):
        pytest.skip(f"{server_variable(request.param)} names no server")
    with legacy_database(request.param, tmp_path) as database:
        yield database


def run(url: str, *arguments: str) -> tuple[int, dict[str, Any], list[str]]:
    """Run the command; returns its exit status, its report and the lines on stderr."""
    output, errors = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command(
            "import_legacy",
            f"--database-url={url}",
            "--json",
            *arguments,
            stdout=output,
            stderr=errors,
        )
    except SystemExit as end:
        status = int(end.code or 0)
    return status, json.loads(output.getvalue()), errors.getvalue().splitlines()


def counts(report: dict[str, Any]) -> tuple[int, int, int]:
    assert report["rows"] == report["stored"] + report["duplicates"] + report["failed"]
    return report["stored"], report["duplicates"], report["failed"]


def findings(report: dict[str, Any]) -> dict[str, Any]:
    """Return what was found, without what is empty."""
    names = ("null_hashes", "wrong_hashes", "doubles", "wrong_sizes", "wrong_dates", "failures")
    return {name: report[name] for name in names if report[name]}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 3000, SMALL_SIZE, SMALL_SIZE + 1, SLICE_SIZE, LARGE])
def test_bytes_of_any_size_are_taken(any_old, size):
    data = noise(size)
    if any_old.connection.vendor == "mysql" and size > 4 << 20:
        # More than the server takes in one packet.
        any_old.add(b"", hash=sha256(data), size=size)
        for start in range(0, size, 4 << 20):
            part = data[start : start + (4 << 20)]
            any_old.execute("UPDATE file SET data = CONCAT(data, %s)", part)
    else:
        any_old.add(data)
    status, report, errors = run(any_old.url)
    assert (status, counts(report), findings(report), errors) == (0, (1, 0, 0), {}, [])
    assert report["bytes"] == size
    file = File.objects.select_related("content").get()
    assert b"".join(read(file, 0, size)) == data


def test_what_the_row_says_is_kept_and_types_are_told_anew(any_old):
    any_old.add(png(), name="Grüße 🦉.png", mime_type="text/x-wrong")
    run(any_old.url)
    file = File.objects.get()
    assert (file.name, file.folder, file.mime_type) == ("Grüße 🦉.png", "", "image/png")
    assert file.upload_date == datetime(2019, 3, 31, 2, 30, 0, 250_000, UTC)
    assert file.hash == sha256(png())


def test_pages_of_rows_are_all_taken(any_old, monkeypatch):
    monkeypatch.setattr(legacy_source, "PAGE", 10)
    for number in range(41):
        any_old.add(b"%d" % number)
    any_old.execute("DELETE FROM file WHERE id = 7")
    assert counts(run(any_old.url)[1]) == (40, 0, 0)
    assert counts(run(any_old.url)[1]) == (0, 40, 0)


def test_findings_are_reported(any_old):
    any_old.add(b"1", hash=None)
    any_old.add(b"2", hash="")
    any_old.add(b"3", hash=sha256(b"3").upper())
    any_old.add(b"4", hash=hashlib.md5(b"4", usedforsecurity=False).hexdigest())
    any_old.add(b"5", hash=sha256(b"x"))
    any_old.add(b"6", hash=hashlib.md5(b"x", usedforsecurity=False).hexdigest())
    any_old.add(b"7", hash="what")
    any_old.add(b"8", size=80)
    any_old.add(b"9", size=None, upload_date=None)
    any_old.add(b"1", hash=None, name="again")
    any_old.add(None, hash=None)
    status, report, errors = run(any_old.url)
    assert (status, counts(report)) == (1, (9, 1, 1))
    assert findings(report) == {
        "null_hashes": [1, 2, 10, 11],
        "wrong_hashes": [
            {"id": 5, "hash": sha256(b"x"), "sha256": sha256(b"5")},
            {
                "id": 6,
                "hash": hashlib.md5(b"x", usedforsecurity=False).hexdigest(),
                "sha256": sha256(b"6"),
            },
            {"id": 7, "hash": "what", "sha256": sha256(b"7")},
        ],
        "doubles": [{"id": 10, "first_id": 1, "file_id": File.objects.get(hash=sha256(b"1")).pk}],
        "wrong_sizes": [{"id": 8, "size": 80, "bytes": 1}],
        "wrong_dates": [{"id": 9, "upload_date": None}],
        "failures": [{"id": 11, "reason": "It has no data (null), so there is no file to store."}],
    }
    assert len(errors) == 7
    assert "Row 8: Its size is 80, it has 1 bytes." in errors
    assert File.objects.get(hash=sha256(b"1")).name == "report.pdf"


def test_a_large_double_is_told_with_both_rows(any_old):
    any_old.add(noise(SMALL_SIZE + 1), name="first")
    any_old.add(b"between")
    any_old.add(noise(SMALL_SIZE + 1), name="second", hash=None)
    file_ids = []
    for _ in range(2):
        report = run(any_old.url)[1]
        (double,) = report["doubles"]
        assert (double["id"], double["first_id"]) == (3, 1)
        file_ids.append(double["file_id"])
    assert file_ids == [File.objects.get(name="first").pk] * 2


def test_a_second_run_takes_what_is_missing(old):
    old.add(b"first")
    assert counts(run(old.url)[1]) == (1, 0, 0)
    old.add(b"second")
    old.add(noise(LARGE))
    assert counts(run(old.url)[1]) == (2, 1, 0)
    report = run(old.url)[1]
    assert (counts(report), findings(report)) == ((0, 3, 0), {})


def test_a_dry_run_reads_all_and_stores_nothing(old):
    make_file(b"there")
    for data in (b"there", b"new", b"new", noise(LARGE), noise(LARGE)):
        old.add(data)
    status, report, _ = run(old.url, "--dry-run")
    assert (status, counts(report), report["bytes"]) == (0, (2, 3, 0), 3 + LARGE)
    assert [double["id"] for double in report["doubles"]] == [3, 5]
    assert File.objects.count() == 1


def test_columns_that_are_missing_are_done_without(old):
    old.execute("CREATE TABLE first (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")
    old.execute("INSERT INTO first (name, data) VALUES ('a.txt', %s)", b"bytes")
    status, report, _ = run(old.url, "--table", "first")
    assert (status, counts(report), report["null_hashes"]) == (0, (1, 0, 0), [1])


def test_the_source_is_neither_changed_nor_written_beside(old, tmp_path):
    old.add(b"bytes")
    path = Path(old.connection.settings_dict["NAME"])
    old.connection.close()
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())
    path.chmod(0o400)
    run(old.url)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before
    with closing(open_table(old.url, "file")) as table, pytest.raises(Exception, match="readonly"):
        table._fetch("DELETE FROM file")


def test_rows_that_sqlite_lets_pass_are_told_one_by_one(old):
    old.add(b"good")
    old.add(b"1", name="n" * 300)
    old.add(b"2", upload_date="yesterday")
    old.add(b"3", upload_date="2024-13-45 00:00:00")
    old.add(b"4", upload_date="2024-01-01 12:00:00+02:00", name="zone")
    old.add(b"5", upload_date="0001-01-01 00:00:00+02:00")
    old.add(b"6", name="/")
    old.add(b"7", size="many", name="many")
    old.add(b"8")
    old.execute("UPDATE file SET data = 17 WHERE id = 9")
    old.add(b"9", name="text", hash=sha256("Grüße".encode()), size=7)
    old.execute("UPDATE file SET data = 'Grüße', name = CAST(x'e974e9' AS TEXT) WHERE id = 10")
    status, report, _ = run(old.url)
    assert (status, counts(report)) == (1, (7, 0, 3))
    assert [failure["id"] for failure in report["failures"]] == [2, 7, 9]
    assert [found["id"] for found in report["wrong_dates"]] == [3, 4, 6]
    assert "cannot open value of type integer" in report["failures"][2]["reason"]
    assert File.objects.get(name="zone").upload_date == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert File.objects.get(hash=sha256("Grüße".encode())).name == "\ufffdt\ufffd"


def test_a_row_that_ends_too_early_is_told(old, monkeypatch):
    old.add(noise(LARGE))
    old.add(b"next")
    take = legacy.LegacyFile.__init__

    def longer(file: legacy.LegacyFile, *args: Any) -> None:
        take(file, *args)
        file.size += file.size > 100

    monkeypatch.setattr(legacy.LegacyFile, "__init__", longer)
    status, report, _ = run(old.url)
    assert (status, counts(report)) == (1, (1, 0, 1))
    assert report["failures"] == [
        {"id": 1, "reason": f"Its data end at byte {LARGE:,} of {LARGE + 1:,}."}
    ]


def test_a_full_disk_stops_at_once(old, monkeypatch):
    for number in range(10):
        old.add(noise(SMALL_SIZE + 1, number))
    commit = uploads.commit

    def fill(incoming: uploads.IncomingFile) -> File:
        if File.objects.count() == 3:
            raise StorageFullError("There is no room left.")
        return commit(incoming)

    monkeypatch.setattr(uploads, "commit", fill)
    status, report, errors = run(old.url)
    assert (status, report["stored"], report["rows"]) == (1, 3, 4)
    assert errors == [
        "Stopped: There is no room left. Make room and run it again: it goes on.",
    ]
    monkeypatch.undo()
    assert counts(run(old.url)[1]) == (7, 3, 0)


def test_ctrl_c_prints_what_was_done(old, monkeypatch):
    for number in range(3):
        old.add(noise(SMALL_SIZE + 1, number))
    open_row = LegacyTable.open

    def interrupt(table: LegacyTable, row: Any) -> Any:
        if row.id == 3:
            raise KeyboardInterrupt
        return open_row(table, row)

    monkeypatch.setattr(LegacyTable, "open", interrupt)
    status, report, errors = run(old.url)
    assert (status, report["stored"]) == (130, 2)
    assert errors == ["Interrupted. Run it again: it goes on."]


def test_a_report_lists_so_many_findings_and_counts_all(old, monkeypatch):
    monkeypatch.setattr(legacy, "LISTED", 2)
    for number in range(5):
        old.add(b"the same", hash=None, size=number)
    report = run(old.url)[1]
    assert report["found"] == {
        **dict.fromkeys(legacy.KINDS, 0),
        "null_hashes": 5,
        "doubles": 4,
        "wrong_sizes": 5,
    }
    assert report["null_hashes"] == [1, 2]
    assert len(report["doubles"]) == len(report["wrong_sizes"]) == 2


def test_doubles_are_told_of_ids_that_are_text(old):
    old.execute("CREATE TABLE named (id TEXT PRIMARY KEY, name TEXT, data BLOB)")
    for id in ("a", "b"):
        old.execute("INSERT INTO named VALUES (%s, 'x', %s)", id, b"the same")
    (double,) = run(old.url, "--table", "named")[1]["doubles"]
    assert {double["id"], double["first_id"]} == {"a", "b"}


def test_no_room_for_temporary_files_stops_it(old, monkeypatch):
    class Full:
        def execute(self, statement, parameters=()):
            if statement.startswith("INSERT"):
                raise sqlite3.OperationalError("database or disk is full")

        def close(self):
            pass

    old.add(noise(SMALL_SIZE + 1))
    monkeypatch.setattr(
        "files.services.legacy.sqlite3.connect", lambda *arguments, **options: Full()
    )
    status, _, errors = run(old.url)
    assert status == 1
    assert "no room for temporary files: database or disk is full." in errors[-1]


def test_the_summary_is_for_people(old, capsys):
    old.add(b"1", hash=None)
    old.add(b"1", hash="\x1b[31m")
    call_command("import_legacy", f"--database-url={old.url}")
    output, errors = capsys.readouterr()
    assert "2 rows: 1 files with 1 bytes stored, 1 there already (1 of them twice" in output
    assert "Hashes: 1 missing, 1 wrong." in output
    assert "\x1b" not in errors


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "The database's URL cannot be read"),
        ("http://host/files", "The database's URL cannot be read"),
        ("sqlite:////nowhere/files.db", "There is no database file /nowhere/files.db."),
        (f"sqlite:////{'x' * 5000}", "The database cannot be opened: .*File name too long"),
        ("postgres://nobody@127.0.0.1:1/x?nonsense=1", "The database cannot be opened"),
        ("mysql://nobody@127.0.0.1:1/x?nonsense=1", "The database cannot be opened"),
        ("sqlite://:memory:", "There is no database file"),
        ("postgresql+psycopg2://nobody@127.0.0.1:1/x", "The database cannot be opened"),
        ("mysql+pymysql://nobody@127.0.0.1:1/x", "The database cannot be opened"),
        ("oracle://nobody@127.0.0.1:1/x", "The database must be SQLite, MySQL"),
    ],
)
def test_a_wrong_url_is_told(url, words):
    with pytest.raises(CommandError, match=words) as error:
        run(url)
    assert error.value.returncode == 2


def test_a_wrong_table_is_told(any_old):
    any_old.execute("CREATE TABLE other (id INTEGER, nme INTEGER)")
    for table, words in (
        ("nothing", "The database has no table nothing; it has file, other."),
        ("other", "The table other has no column name and no column data; it has id, nme."),
    ):
        with pytest.raises(CommandError) as error:
            run(any_old.url, "--table", table)
        assert str(error.value) == words


# Read as SQL, as placeholders or as quoted already, these name another table or none.
HOSTILE = ['file" WHERE 1=0; --', 'fi"le', "fi`le", "fi%sle", "fi%%sle", "%", '"q"', "`q`", "'; --"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_table_of_any_name_is_taken(any_old, monkeypatch, name):
    monkeypatch.setattr(legacy_source, "PAGE", 2)
    mark = "`" if any_old.connection.vendor == "mysql" else '"'
    quoted = mark + name.replace(mark, mark * 2).replace("%", "%%") + mark
    for number in range(3):
        any_old.add(b"%d" % number)
    any_old.add(None)
    any_old.execute(f"ALTER TABLE file RENAME TO {quoted}")
    any_old.execute("CREATE TABLE file (id INTEGER, name INTEGER, data INTEGER)")
    status, report, _ = run(any_old.url, "--table", name)
    assert (status, counts(report)) == (1, (3, 0, 1))
    assert [one["id"] for one in report["failures"]] == [4]


@pytest.mark.parametrize("name", [*HOSTILE, "", "file\0", "\udcff", "x" * 5000])
def test_a_table_that_is_not_there_is_told_whatever_its_name(any_old, name):
    with pytest.raises(CommandError) as error:
        run(any_old.url, "--table", name)
    assert str(error.value) == f"The database has no table {name}; it has file."
    assert error.value.returncode == 2


@pytest.mark.parametrize("option", ["mode=rwc", "uri=false", "init_command=DROP TABLE file"])
def test_options_of_a_sqlite_url_are_refused(old, option):
    with pytest.raises(CommandError, match="takes no options such as") as error:
        run(f"{old.url}?{option}")
    assert error.value.returncode == 2


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE VIEW odd AS SELECT * FROM file", "odd is a view; it must be a table."),
        (
            "CREATE TABLE odd (id INTEGER PRIMARY KEY, name TEXT, data BLOB, rowid TEXT)",
            "The table odd has a column rowid, which hides",
        ),
        (
            "CREATE TABLE odd (id INTEGER PRIMARY KEY, name TEXT, data BLOB, RowId TEXT)",
            "The table odd has a column rowid, which hides",
        ),
        (
            "CREATE TABLE odd (id INTEGER PRIMARY KEY, name TEXT, data BLOB) WITHOUT ROWID",
            "The table odd was made WITHOUT ROWID",
        ),
    ],
)
def test_a_table_whose_rows_sqlite_cannot_find_is_told(old, statement, words):
    old.add(b"bytes")
    old.execute(statement)
    with pytest.raises(CommandError, match=words) as error:
        run(old.url, "--table", "odd")
    assert error.value.returncode == 2
    assert not File.objects.exists()


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "text.db").write_text("This is no database." * 100)
    with pytest.raises(CommandError, match="file is not a database"):
        run(f"sqlite:///{tmp_path / 'text.db'}")


def test_a_table_of_this_server_is_refused(old):
    old.execute("ALTER TABLE file ADD COLUMN content_id BIGINT")
    old.execute("ALTER TABLE file ADD COLUMN space_id BIGINT")
    with pytest.raises(CommandError, match="belongs to a file server of this kind"):
        run(old.url)


@pytest.mark.live
def test_a_large_row_is_never_whole_in_memory(tmp_path):
    data, source = tmp_path / "data", tmp_path / "old.db"
    prepare(data)
    size = 300 << 20
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE file (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")
        connection.execute("INSERT INTO file VALUES (1, 'large.bin', zeroblob(?))", (size,))
    command = [*MANAGE, "import_legacy", f"--database-url=sqlite:///{source}", "--json"]
    for dry in (["--dry-run"], []):
        result = subprocess.run(
            [*command, *dry],
            env=environment_of(data),
            stdout=subprocess.PIPE,
            check=True,
            # Address space, where a whole row would not fit beside the rest.
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (250 << 20, 250 << 20)),
        )
        assert json.loads(result.stdout)["stored"] == 1
