from __future__ import annotations

from pathlib import Path

import pytest

from files.doctor.cleanup import removed_for_good
from files.doctor.client import Client, UnknownAddressError
from files.doctor.findings import size
from files.doctor.own_server import environment_of
from files.models import File
from files.tests.factories import make_file


@pytest.mark.django_db
def test_probe_is_removed_for_good_where_the_database_is_at_hand():
    file = make_file()

    assert not removed_for_good(file.pk, "0" * 64)
    assert removed_for_good(file.pk, file.hash)
    assert not File.everything.exists()
    assert not removed_for_good(file.pk, file.hash)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:port/", "http://x:99999/"])
def test_wrong_addresses_are_refused(url):
    with pytest.raises(UnknownAddressError):
        Client(url)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:8000", "http://localhost:8000/"),
        ("https://Files.example.org/files/", "https://Files.example.org/files/"),
        ("http://name:word@host", "http://host/"),
    ],
)
def test_addresses_are_understood(text, url):
    assert Client(text).url == url


def test_own_server_knows_nothing_of_the_real_library(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "mysql://the/real/one")
    monkeypatch.setenv("FILESERVER_DATA_DIR", "/the/real/one")
    monkeypatch.setenv("FILESERVER_URL_PREFIX", "/kept")

    environment = environment_of(Path(tmp_path))

    assert "DATABASE_URL" not in environment
    assert environment["FILESERVER_DATA_DIR"] == str(tmp_path)
    assert environment["FILESERVER_URL_PREFIX"] == "/kept"


@pytest.mark.parametrize(
    ("count", "text"), [(5, "5 bytes"), (20 << 20, "20 MiB"), (1536, "1.5 KiB"), (2 << 40, "2 TiB")]
)
def test_sizes_in_words(count, text):
    assert size(count) == text
