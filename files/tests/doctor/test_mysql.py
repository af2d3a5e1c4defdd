from __future__ import annotations

import pytest

from files.doctor import database_server, mysql
from files.doctor.findings import Finding, Status
from files.tests.new_databases import make_tables, run

WELL = {
    "innodb_flush_log_at_trx_commit": "1",
    "innodb_doublewrite": "ON",
    "innodb_file_per_table": "ON",
    "innodb_log_file_size": str(1 << 30),
    "innodb_buffer_pool_size": str(1 << 30),
    "log_bin": "OFF",
    "sync_binlog": "0",
    "datadir": "/nowhere/",
}
SIZES = (512 << 20, 20 << 30, 0)


def told(monkeypatch, check, *, sizes=SIZES, **variables: str) -> list[str]:
    """Return what is wrong on a server with these variables."""
    monkeypatch.setattr(mysql, "variables", lambda: WELL | variables)
    monkeypatch.setattr(mysql, "_sizes", lambda: sizes)
    return [one.check for one in check() if one.status is not Status.OK]


def test_server_with_good_settings_is_well(monkeypatch):
    for check in (mysql.losses, mysql.costs, mysql.space):
        assert told(monkeypatch, check) == []


@pytest.mark.parametrize(
    ("check", "variables", "expected"),
    [
        (mysql.losses, {"innodb_flush_log_at_trx_commit": "2"}, "Durability"),
        (mysql.losses, {"innodb_doublewrite": "OFF"}, "Half-written pages"),
        (mysql.losses, {"log_bin": "ON"}, "Binary log"),
        (mysql.costs, {"innodb_log_file_size": str(48 << 20)}, "InnoDB log"),
        (mysql.costs, {"innodb_redo_log_capacity": str(48 << 20)}, "InnoDB log"),
        (mysql.costs, {"log_bin": "ON", "binlog_annotate_row_events": "ON"}, "Binary log"),
        (mysql.costs, {"innodb_buffer_pool_size": str(128 << 20)}, "Cache"),
        (mysql.space, {"innodb_file_per_table": "OFF"}, "Free pages"),
    ],
)
def test_setting_that_costs_or_loses_is_told(monkeypatch, check, variables, expected):
    assert told(monkeypatch, check, **variables) == [expected]


def test_log_of_two_files_counts_both(monkeypatch):
    variables = {"innodb_log_file_size": str(48 << 20), "innodb_log_files_in_group": "2"}
    assert told(monkeypatch, mysql.costs, **variables) == []


def test_lost_moments_are_as_asked_for_with_durability_normal(monkeypatch, settings):
    settings.FILESERVER_DURABILITY = "normal"
    assert told(monkeypatch, mysql.losses, innodb_flush_log_at_trx_commit="2") == []


@pytest.mark.parametrize(
    ("in_use", "free", "expected"),
    [(20 << 30, 9 << 30, []), (20 << 30, 11 << 30, ["Free pages"]), (0, 512 << 20, [])],
)
def test_much_free_space_is_told(monkeypatch, in_use, free, expected):
    assert told(monkeypatch, mysql.space, sizes=(0, in_use, free)) == expected


@pytest.fixture
def server(monkeypatch, mysql_url, opened):
    """Let the doctor look at a new database of a real server."""
    connection = opened(mysql_url)
    for module in (mysql, database_server):
        monkeypatch.setattr(module, "connection", connection)
    return connection


def findings() -> dict[str, Finding]:
    return {one.check: one for check in mysql.CHECKS for one in check()}


@pytest.mark.live
def test_real_server_is_looked_at(server):
    make_tables(server)
    found = findings()
    assert {"Durability", "InnoDB log", "Cache", "Free pages", "Clocks"} <= set(found)
    assert found["Database settings"].status is Status.OK
    assert found["Clocks"].status is Status.OK


@pytest.mark.live
def test_real_server_is_looked_at_before_it_has_tables(server):
    assert findings()["Free pages"].status is Status.OK


@pytest.mark.live
def test_clock_that_is_wrong_is_told(server):
    run(server, "SET timestamp = UNIX_TIMESTAMP() - 60")
    (found,) = database_server.clock("UNIX_TIMESTAMP()")
    assert found.status is Status.WARNING
    assert "s apart" in found.text


@pytest.mark.live
def test_what_serve_would_refuse_is_a_problem(server):
    run(server, "SET sql_mode = ''")
    found = findings()["Database settings"]
    assert found.status is Status.PROBLEM
    assert "files.E011" in found.text and found.hint
