from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from files.exceptions import StorageBusyError
from files.management.commands import sweep as module
from files.services.deletion import Emptied

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_ctrl_c_tells_what_was_done(monkeypatch, capsys, json_option):
    def interrupt(dry_run):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "empty_trash", lambda dry_run: Emptied(2, 30))
    monkeypatch.setattr(module, "sweep", interrupt)
    with pytest.raises(SystemExit) as end:
        call_command("sweep", *json_option)

    out, err = capsys.readouterr()
    assert end.value.code == 130
    assert err == "Interrupted. What was removed is gone. Run it again: it goes on.\n"
    if json_option:
        assert json.loads(out)["trash"] == {"files": 2, "bytes": 30}
    else:
        assert out.startswith("2 files with 30 bytes removed from the trash; 0 expired uploads")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("database is locked"), "is locked. Another program holds it"),
        (StorageBusyError("The database is busy."), "The database is busy."),
    ],
)
def test_a_busy_database_is_told(monkeypatch, error, words):
    def refuse(dry_run):
        raise error

    monkeypatch.setattr(module, "sweep", refuse)
    with pytest.raises(CommandError, match=words) as refusal:
        call_command("sweep", stdout=io.StringIO())
    assert refusal.value.returncode == 3
