from __future__ import annotations

import os
import resource
import time
from collections import namedtuple

import pytest

from files.doctor import machine
from files.doctor.findings import Finding, Status


def only(check) -> Finding:
    found: Finding
    (found,) = check()
    return found


@pytest.mark.parametrize("check", [check for check in machine.CHECKS if check.__name__ != "disk"])
def test_this_machine_is_well(check, settings):
    settings.FILESERVER_DATA_DIR.chmod(0o700)
    secret = settings.FILESERVER_DATA_DIR / "secret_key"
    secret.touch(mode=0o600)

    assert only(check).status in (Status.OK, Status.WARNING)
    assert only(check).text


@pytest.mark.parametrize(
    ("mode", "status"), [(0o700, Status.OK), (0o750, Status.OK), (0o755, Status.WARNING)]
)
def test_mode_of_the_data_directory(settings, mode, status):
    settings.FILESERVER_DATA_DIR.chmod(mode)

    assert only(machine.data_directory).status is status


def test_foreign_data_directory_is_told(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    assert "belongs to user" in only(machine.data_directory).text


def test_data_directory_that_cannot_be_written_is_told(monkeypatch):
    monkeypatch.setattr(os, "access", lambda *arguments: False)

    assert only(machine.data_directory).status is Status.PROBLEM


@pytest.mark.parametrize(
    ("mode", "status"), [(0o600, Status.OK), (0o640, Status.PROBLEM), (0o604, Status.PROBLEM)]
)
def test_mode_of_the_secret(settings, monkeypatch, mode, status):
    monkeypatch.delenv("FILESERVER_SECRET_KEY", raising=False)
    monkeypatch.delenv("FILESERVER_SECRET_KEY_FILE", raising=False)
    path = settings.FILESERVER_DATA_DIR / "secret_key"
    path.touch()
    path.chmod(mode)

    assert only(machine.secret_key).status is status


def test_secret_that_is_gone_is_told(monkeypatch):
    monkeypatch.delenv("FILESERVER_SECRET_KEY", raising=False)

    assert only(machine.secret_key).status is Status.PROBLEM


@pytest.mark.parametrize(
    ("free", "status"),
    [(1 << 40, Status.OK), (1 << 30, Status.WARNING), (5 << 20, Status.PROBLEM)],
)
def test_free_disk(monkeypatch, free, status):
    monkeypatch.setattr(machine, "room", lambda: free)

    assert only(machine.disk).status is status


def test_disk_of_a_database_elsewhere(monkeypatch):
    monkeypatch.setattr(machine, "room", lambda: None)

    assert "elsewhere" in only(machine.disk).text


def test_few_inodes_are_told(monkeypatch):
    usage = namedtuple("usage", "f_files f_favail")
    monkeypatch.setattr(os, "statvfs", lambda path: usage(9, 3))
    assert only(machine.inodes).status is Status.WARNING

    monkeypatch.setattr(os, "statvfs", lambda path: usage(0, 0))
    assert not list(machine.inodes())


def test_few_open_files_are_told(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 1024))

    assert only(machine.open_files).status is Status.WARNING


def test_wrong_clock_is_told(monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)
    assert only(machine.clock).status is Status.WARNING

    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert only(machine.clock).status is Status.PROBLEM


def test_libmagic_that_knows_nothing_is_told(monkeypatch):
    monkeypatch.setattr(machine, "sniff", lambda head, name: "application/octet-stream")
    assert only(machine.file_types).status is Status.PROBLEM
