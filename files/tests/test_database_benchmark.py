"""The benchmark of the databases, so that it still runs when it is needed."""

from __future__ import annotations

import pytest

from benchmarks import bench, databases
from benchmarks.database_peers import DATABASES, OnMySQL, OnStockMySQL, OnStockPostgreSQL
from benchmarks.figures import Metric, Results
from benchmarks.run import MARK
from benchmarks.workloads import Scale

SPEED = Metric("speed", "MB/s", more_is_better=True)
TINY = Scale(rounds=1, seconds=0.2, large=2 << 20, counts=(), clients=2)


def test_each_database_is_compared_with_its_stock_path():
    titles = {one.name: {"title": one.title, "version": "1", "does": "x"} for one in DATABASES}
    results = Results(
        {
            "machine": {},
            "rounds": 1,
            "large": "1 MiB",
            "peers": titles,
            "missing": {"Other": "it is not there"},
            "workloads": {"large": {"title": "Large", "explains": "x"}},
        }
    )
    for name, value in (("sqlite", 100), ("mysql", 90), ("mysql-stock", 20), ("postgresql", 80)):
        results.of("large", "up", SPEED, name).values.append(value)

    lines = databases.as_markdown(results).splitlines()

    assert "| up: speed, MB/s (more is better) | 100 | 90.0 | 20.0 | 80.0 |" in lines
    assert "| … times the stock path |  | 4.50× |  |  |" in lines
    assert "Left out: Other, for it is not there." in lines


def test_server_that_is_not_named_is_left_out(monkeypatch):
    monkeypatch.delenv("FILESERVER_TEST_MYSQL_URL", raising=False)
    with pytest.raises(LookupError, match="FILESERVER_TEST_MYSQL_URL is not set"):
        OnMySQL.version()


def test_options_of_the_command(tmp_path):
    options = databases.parse(["--quick", "--databases", "sqlite", "--out", str(tmp_path)])
    assert options.quick and options.databases == ["sqlite"]
    with pytest.raises(SystemExit):
        databases.parse(["--databases", "none"])


def test_another_database_for_all_of_them_is_refused(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:////tmp/one")
    monkeypatch.setattr(databases, "parse", lambda: None)
    with pytest.raises(SystemExit, match="DATABASE_URL is set"):
        databases.main()


def test_page_for_the_tables_has_a_place_for_them():
    assert databases.ROOT.joinpath("docs", "databases.md").read_text("utf-8").count(MARK) == 1


@pytest.mark.live
@pytest.mark.own_servers
@pytest.mark.parametrize("peer", [OnStockMySQL, OnStockPostgreSQL], ids=lambda peer: peer.name)
def test_tiny_run_measures_the_stock_path(tmp_path, peer):
    try:
        peer.version()
    except LookupError as error:
        pytest.skip(str(error))
    run = bench.Bench(tmp_path / "work", TINY, {})
    run.prepare([peer])
    run.run(databases.workloads(TINY)[0])

    assert not run.failed, databases.as_markdown(run.results)
    assert run.results.of("one-large-file", "up", SPEED, peer.name).values
