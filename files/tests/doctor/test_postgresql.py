from __future__ import annotations

import pytest

from files.doctor import database_server, postgresql
from files.doctor.findings import Finding, Status
from files.models import Chunk, Content
from files.tests.new_databases import make_tables, run

WELL = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "shared_buffers": str(1 << 30),
    "max_wal_size": str(1 << 30),
}


def told(
    monkeypatch, check, *, dead: int = 0, storage: str = "e", **variables: str
) -> dict[str, Status]:
    """Return what is wrong on a server with these settings."""
    monkeypatch.setattr(postgresql, "variables", lambda: WELL | variables)
    monkeypatch.setattr(postgresql, "_sizes", lambda: (512 << 20, 20 << 30))
    monkeypatch.setattr(postgresql, "_data_directory", lambda: None)
    answers = {postgresql._DEAD: (dead, None), postgresql._STORAGE: (storage,)}
    monkeypatch.setattr(database_server, "row", lambda statement, *_: answers[statement])
    return {one.check: one.status for one in check() if one.status is not Status.OK}


def test_server_with_good_settings_is_well(monkeypatch):
    for check in (postgresql.losses, postgresql.costs, postgresql.space):
        assert told(monkeypatch, check) == {}


@pytest.mark.parametrize(
    ("check", "variables", "expected"),
    [
        (postgresql.losses, {"fsync": "off"}, {"Durability": Status.PROBLEM}),
        (postgresql.losses, {"synchronous_commit": "off"}, {"Durability": Status.WARNING}),
        (postgresql.losses, {"full_page_writes": "off"}, {"Half-written pages": Status.WARNING}),
        (postgresql.costs, {"max_wal_size": str(80 << 20)}, {"Write-ahead log": Status.WARNING}),
        (postgresql.costs, {"shared_buffers": str(128 << 20)}, {"Cache": Status.WARNING}),
        (postgresql.space, {"autovacuum": "off"}, {"Vacuum": Status.WARNING}),
    ],
)
def test_setting_that_costs_or_loses_is_told(monkeypatch, check, variables, expected):
    assert told(monkeypatch, check, **variables) == expected


def test_lost_moments_are_as_asked_for_with_durability_normal(monkeypatch, settings):
    settings.FILESERVER_DURABILITY = "normal"
    assert told(monkeypatch, postgresql.losses, synchronous_commit="off") == {}


@pytest.mark.parametrize(("storage", "expected"), [("x", {"Compression"}), (None, set())])
def test_compression_in_vain_is_told(monkeypatch, storage, expected):
    assert set(told(monkeypatch, postgresql.costs, storage=storage)) == expected


@pytest.mark.parametrize(("dead", "expected"), [(2 << 20, {}), (4 << 20, {"Deleted content"})])
def test_content_that_waits_for_a_vacuum_is_told(monkeypatch, dead, expected):
    assert set(told(monkeypatch, postgresql.space, dead=dead)) == set(expected)


@pytest.fixture
def server(monkeypatch, postgresql_url, opened):
    """Let the doctor look at a new database of a real server."""
    connection = opened(postgresql_url)
    for module in (postgresql, database_server):
        monkeypatch.setattr(module, "connection", connection)
    return connection


def findings() -> dict[str, Finding]:
    return {one.check: one for check in postgresql.CHECKS for one in check()}


@pytest.mark.live
def test_real_server_is_looked_at(server):
    make_tables(server)
    found = findings()
    assert {"Durability", "Write-ahead log", "Cache", "Deleted content", "Clocks"} <= set(found)
    assert found["Database settings"].status is Status.OK
    assert found["Clocks"].status is Status.OK


@pytest.mark.live
def test_compression_is_mended_as_told(server):
    with server.schema_editor() as editor:
        editor.create_model(Content)
        editor.create_model(Chunk)
    run(server, "ALTER TABLE chunk ALTER COLUMN data SET STORAGE EXTENDED")
    run(server, findings()["Compression"].hint.removeprefix("Run: "))
    assert "Compression" not in findings()


@pytest.mark.live
def test_settings_are_those_of_the_connection(server):
    assert postgresql.variables()["shared_buffers"].isdecimal()
    run(server, "SET synchronous_commit = off")
    assert postgresql.variables()["synchronous_commit"] == "off"


@pytest.mark.live
def test_what_serve_would_refuse_is_a_problem(server):
    make_tables(server)
    run(server, 'ALTER TABLE label ALTER name TYPE varchar(100) COLLATE "und-x-icu"')
    found = findings()["Database settings"]
    assert found.status is Status.PROBLEM
    assert "label.name (und-x-icu)" in found.text and found.hint
