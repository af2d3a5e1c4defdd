from __future__ import annotations

import io
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand, OutputWrapper, SystemCheckError
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder

from files.exceptions import StorageBusyError, StorageFullError
from files.management import exits
from files.management.exits import in_words, orderly_end, require_database
from files.tests import live_databases
from files.tests.running_server import MANAGE, environment_of, prepare, rows_of, wait_until

COMMANDS = {
    "export_files": ["{}/export"],
    "file_stats": [],
    "import_files": ["{}"],
    "import_legacy": ["--database-url=sqlite:///{}/old.db"],
    "seed_demo": ["--files=1"],
    "sweep": [],
    "verify_files": [],
}

# As SQLite, MySQL and PostgreSQL put it.
NO_TABLE = r"no such table: file|Table '\w+\.file' doesn't exist|relation \"file\" does not exist"


def command(stderr: io.StringIO | None = None) -> BaseCommand:
    return BaseCommand(stdout=io.StringIO(), stderr=stderr or io.StringIO(), no_color=True)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (StorageFullError("There is no room."), 1, "There is no room. It stays."),
        (StorageBusyError("It is busy."), 3, "It is busy. It stays."),
        (InterfaceError("connection is closed"), 3, "Broken off: connection is closed. manage.py"),
        (SystemCheckError("wrong"), 3, "wrong"),
        (CommandError("of its own", returncode=7), 7, "of its own"),
    ],
)
def test_errors_end_with_a_sentence_and_a_status(error, status, words):
    with pytest.raises(CommandError, match=words) as end, orderly_end(command(), "It stays."):
        raise error
    assert end.value.returncode == status


def test_what_is_no_refusal_is_not_hidden():
    with pytest.raises(ZeroDivisionError), orderly_end(command()):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (OperationalError("no such table: file"), "manage.py migrate"),
        (ProgrammingError(1146, "Table 'files.file' doesn't exist"), "manage.py migrate"),
        (ProgrammingError('relation "file" does not exist\nLINE 1: …'), "manage.py migrate"),
        (OperationalError(1054, "Unknown column 'x'"), "manage.py migrate"),
        (OperationalError("database is locked"), "try again later"),
        (OperationalError(1205, "Lock wait timeout exceeded"), "try again later"),
        (OperationalError("could not connect to server"), "manage.py doctor"),
    ],
)
def test_databases_say_what_can_be_done(error, hint):
    text = in_words(error)

    assert hint in text
    assert "\n" not in text


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_ctrl_c_is_heeded_whatever_was_inherited(handler):
    errors = io.StringIO()
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(SystemExit) as end, orderly_end(command(errors), "It goes on."):
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)

    assert end.value.code == 130
    assert errors.getvalue() == "Interrupted. It goes on.\n"


@pytest.mark.django_db
def test_a_database_that_is_behind_is_told():
    MigrationRecorder.Migration.objects.filter(app="files").latest("id").delete()
    errors = io.StringIO()

    require_database(OutputWrapper(errors))

    assert "Migrations: 1 are to be applied: files." in errors.getvalue()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_a_database_that_is_not_there_is_not_made(monkeypatch, tmp_path):
    monkeypatch.setitem(connection.settings_dict, "NAME", tmp_path / "none.sqlite3")

    with pytest.raises(CommandError, match="There is no database at .* manage.py migrate") as end:
        require_database(command().stderr)

    assert end.value.returncode == 3
    assert not list(tmp_path.iterdir())


def run(name: str, data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    arguments = [argument.format(data) for argument in COMMANDS[name]]
    return subprocess.run(
        [*MANAGE, name, *arguments],
        env=environment_of(data, **variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.live
@pytest.mark.parametrize("name", COMMANDS)
def test_database_without_tables_breaks_each_command_off(name, tmp_path):
    live_databases.make(url := live_databases.url_of(tmp_path))
    live_databases.query(url, "CREATE TABLE other (id INTEGER)")

    done = run(name, tmp_path)

    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("CommandError: Broken off: ")
    assert done.stderr.endswith(
        f" The database is behind. Run: manage.py migrate (make run does).{goes_on(name)}\n"
    )
    assert re.search(NO_TABLE, done.stderr)
    assert done.stderr.count("\n") == 1


def goes_on(name: str) -> str:
    return {
        "export_files": " Run again on a folder, it goes on.",
        "import_files": " Run it again: it goes on.",
        "import_legacy": " Run it again: it goes on.",
        "seed_demo": " What was added before stays. Run it again: it goes on.",
        "sweep": " What was removed is gone. Run it again: it goes on.",
    }.get(name, "")


@pytest.mark.live
def test_database_that_is_away_breaks_it_off(tmp_path):
    pytest.importorskip("psycopg")
    done = run("verify_files", tmp_path, DATABASE_URL="postgres://nobody@127.0.0.1:1/files")

    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "manage.py doctor" in done.stderr


@pytest.mark.live
@pytest.mark.parametrize("name", ["import_files", "verify_files", "export_files"])
@pytest.mark.parametrize("workers", ["0", "65", "x"])
def test_wrong_usage_is_2(name, workers, tmp_path):
    done = subprocess.run(
        [*MANAGE, name, "1", f"--workers={workers}"],
        env=environment_of(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.live
def test_ctrl_c_ends_a_command_that_was_begun_with_it_ignored(tmp_path):
    """As the background of a shell script does it."""
    data = tmp_path / "data"
    prepare(data)
    with subprocess.Popen(
        [*MANAGE, "seed_demo", "--files", "1000000"],
        env=environment_of(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as process:
        wait_until(lambda: rows_of("file", data) > 0, 60)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)

    assert process.returncode == 130, errors
    assert re.search(r"of 1,000,000 files done\.$", output)
    assert errors == "Interrupted. What was added before stays. Run it again: it goes on.\n"


def test_every_status_is_documented():
    text = (Path(settings.BASE_DIR) / "README.md").read_text(encoding="utf-8")
    statuses = {exits.FAILED, exits.USAGE, exits.BROKEN_OFF, exits.INTERRUPTED}

    assert {0, *statuses} == set(map(int, re.findall(r"^\| `(\d+)` \|", text, re.M)))
