from __future__ import annotations

import shutil
from collections import namedtuple

import pytest
from django.db import connection

from files.doctor import database_server
from files.doctor.findings import Status

Usage = namedtuple("Usage", "free")


@pytest.mark.parametrize(
    ("free", "status"),
    [(100 << 20, Status.PROBLEM), (1 << 30, Status.WARNING), (5 << 30, Status.OK)],
)
def test_disk_of_a_database_on_this_machine_is_looked_at(monkeypatch, free, status):
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(free))
    (found,) = database_server.room("/var/lib/data")
    assert found.status is status
    assert "/var/lib/data" in found.text


@pytest.mark.parametrize(
    ("host", "folder"),
    [("db.example.org", "/"), ("", None), ("/run/postgresql", "/not/there")],
)
def test_disk_of_another_machine_is_unknown(monkeypatch, host, folder):
    monkeypatch.setitem(connection.settings_dict, "HOST", host)
    (found,) = database_server.room(folder)
    assert found.status is Status.OK
    assert "Unknown from here" in found.text
