from __future__ import annotations

import io
import itertools
import json

import pytest
from django.core.management import CommandError, call_command

from files.exceptions import StorageFullError
from files.models import File
from files.services import demo

pytestmark = pytest.mark.django_db


def seed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("seed_demo", *arguments, stdout=out)
    return out.getvalue()


def test_command_fills_the_library_and_says_how_much():
    said = seed("--files", "50", "--seed", "3", "--spread-days", "10")

    assert File.objects.count() == 50
    assert "Adding 50 made-up files" in said
    assert "50 files with" in said


def test_command_again_adds_nothing():
    seed("--files", "20")

    assert "0 files with 0 bytes added, 20 were there already" in seed("--files", "20")
    assert File.objects.count() == 20


def test_dry_run_adds_nothing_and_says_what_would_be():
    said = seed("--files", "1000000", "--dry-run")

    assert "Would add 1,000,000 made-up files" in said
    assert not File.objects.exists()


def test_json_holds_the_figures():
    report = json.loads(seed("--files", "30", "--json"))
    size = sum(File.objects.values_list("size", flat=True))

    assert report.pop("seconds") > 0
    assert report == {"files": 30, "done": 30, "added": 30, "bytes": size, "skipped": 0}
    assert json.loads(seed("--files", "40", "--json"))["skipped"] == 30


def test_json_of_a_dry_run_holds_the_forecast():
    report = json.loads(seed("--files", "30", "--dry-run", "--json"))

    assert set(report) == {"files", "bytes", "present", "room"}
    assert (report["files"], report["present"]) == (30, 0)
    assert not File.objects.exists()


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_ctrl_c_tells_how_far_it_came(monkeypatch, capsys, json_option):
    monkeypatch.setattr(demo, "BATCH_FILES", 10)
    store, calls = demo._store, itertools.count(1)

    def interrupt(*arguments):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return store(*arguments)

    monkeypatch.setattr(demo, "_store", interrupt)
    with pytest.raises(SystemExit) as end:
        call_command("seed_demo", "--files", "50", *json_option)

    out, err = capsys.readouterr()
    assert end.value.code == 130
    assert err == "Interrupted. What was added before stays. Run it again: it goes on.\n"
    assert File.objects.count() == 20
    if json_option:
        report = json.loads(out)
        assert (report["files"], report["done"]) == (50, 20)
    else:
        assert out.splitlines()[-1] == "20 of 50 files done."
    monkeypatch.undo()
    assert json.loads(seed("--files", "50", "--json"))["skipped"] == 20


@pytest.mark.parametrize(
    "arguments",
    [["--files", "0"], ["--files", "x"], ["--seed", "-1"], ["--size", "huge"]]
    + [["--spread-days", "0"]],
)
def test_wrong_options_are_refused(arguments):
    with pytest.raises(CommandError):
        seed(*arguments)


def test_full_disk_is_told_in_a_sentence(monkeypatch):
    def require_room(size: int) -> None:
        raise StorageFullError("There is no room.")

    monkeypatch.setattr(demo, "require_room", require_room)
    words = "There is no room. What was added before stays."
    with pytest.raises(CommandError, match=words) as error:
        seed("--files", "5")
    assert error.value.returncode == 1
