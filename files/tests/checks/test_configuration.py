from __future__ import annotations

import pytest

from files import checks, sha256


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_the_defaults_are_fine():
    for check in (checks.check_data_directory, checks.check_hosts, checks.check_secret):
        assert ids(check()) == []


def test_a_data_directory_that_is_not_there(settings, tmp_path):
    settings.FILESERVER_DATA_DIR = tmp_path / "missing"
    assert ids(checks.check_data_directory()) == ["files.E001"]


def test_any_host(settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert ids(checks.check_hosts()) == ["files.E002"]


def test_a_short_secret(settings):
    settings.SECRET_KEY = "x" * 31
    assert ids(checks.check_secret()) == ["files.E003"]


@pytest.mark.parametrize(("access", "expected"), [("open", ["files.W001"]), ("private", [])])
def test_open_access(settings, access, expected):
    settings.FILESERVER_ACCESS = access
    assert ids(checks.check_access()) == expected


def test_hashes_that_cannot_be_kept(monkeypatch):
    assert ids(checks.check_kept_hashes()) == []
    monkeypatch.setattr(sha256, "why_not_kept", lambda: "There is none.")
    assert ids(checks.check_kept_hashes()) == ["files.W002"]
