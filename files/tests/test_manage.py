"""What keeps every command from working is a sentence, not a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError

import manage
from files.tests.running_server import MANAGE, environment_of
from fileserver.databases import database_settings

NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("variable", "value", "arguments", "expected"),
    [
        ("FILESERVER_ACCESS", "some", ["migrate"], "FILESERVER_ACCESS='some' is none of open"),
        ("DATABASE_URL", f"mysql://me@{NOBODY}/files", ["migrate"], "Can't connect"),
        ("DATABASE_URL", f"postgres://me@{NOBODY}/files", ["migrate"], "Connection refused"),
        ("DATABASE_URL", f"postgres://me@{NOBODY}/files", ["serve", "--port", "9"], "refused"),
    ],
)
def test_command_that_cannot_begin_says_why(tmp_path, variable, value, arguments, expected):
    variables = environment_of(tmp_path) | {variable: value}
    ended = subprocess.run([*MANAGE, *arguments], env=variables, capture_output=True, text=True)

    assert ended.returncode == 3
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_traceback_is_shown_if_asked_for(tmp_path):
    variables = environment_of(tmp_path) | {"DATABASE_URL": f"postgres://me@{NOBODY}/files"}
    command = [*MANAGE, "migrate", "--traceback"]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True)

    assert "Traceback" in ended.stderr


def test_server_that_is_too_old_is_told(monkeypatch, capsys):
    def execute(arguments: list[str]) -> None:
        raise NotSupportedError("MariaDB 10.5 or later is required (found 10.3.2).")

    monkeypatch.setattr(manage, "execute_from_command_line", execute)
    with pytest.raises(SystemExit) as ended:
        manage.main(["manage.py", "migrate"])

    assert ended.value.code == 3
    assert "cannot be used: MariaDB 10.5 or later is required" in capsys.readouterr().err


def test_missing_driver_of_mysql_is_told_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "MySQLdb", None)

    with pytest.raises(ImproperlyConfigured, match=r"not installed\. Run `make mysql`"):
        database_settings("mysql://me@localhost/files")
