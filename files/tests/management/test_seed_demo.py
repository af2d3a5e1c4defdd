from __future__ import annotations

import io

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
    with pytest.raises(CommandError, match="There is no room. What was added before stays."):
        seed("--files", "5")
