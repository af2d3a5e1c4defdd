"""The benchmark's own parts, so that it still runs when it is needed."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import pytest
from django.db import connection

from benchmarks import bench, client, large_source, load, memory
from benchmarks.figures import Metric, Results, Series, readable, times_better
from benchmarks.peers import Ours, Peer
from benchmarks.report import as_markdown, write_reports
from benchmarks.run import is_wanted, library_of, parse, put_into
from benchmarks.workloads import FULL, QUICK, WORKLOADS, Scale
from benchmarks.workloads.workload import Turn, Workload

TINY = Scale(rounds=2, seconds=0.2, large=1 << 20, counts=(), clients=2)
RATE = Metric("files", "files/s", more_is_better=True)
TIME = Metric("took", "ms")


def series(peer: str, *values: float, metric: Metric = RATE) -> Series:
    return Series("small", "", metric, peer, list(values))


def results_of(*measured: Series, **about: object) -> Results:
    titles = {"ours": "ours", "ours-normal": "ours, normal", "other": "other", "safe": "safe"}
    results = Results(
        {
            "machine": {"kernel": "Linux"},
            "rounds": 3,
            "large": "1 MiB",
            "peers": {n: {"title": t, "version": "1", "does": "x"} for n, t in titles.items()},
            "synced": ["ours", "safe"],
            "missing": {"gone": "it is not installed"},
            "workloads": {"small": {"title": "Small files", "explains": "Eight clients."}},
        }
        | about
    )
    for one in measured:
        results.of("small", "", one.metric, one.peer).values.extend(one.values)
    return results


def test_median_and_quartiles_ignore_an_outlier():
    one = series("ours", 100, 104, 102, 98, 9000)
    assert one.typical == 102
    assert one.quartiles == (100, 104)


def test_a_single_value_has_no_spread():
    assert series("ours", 7).quartiles == (7, 7)


@pytest.mark.parametrize(
    ("metric", "ours", "other", "expected"),
    [(RATE, 200, 100, 2), (RATE, 50, 100, 0.5), (TIME, 200, 100, 0.5), (TIME, 50, 100, 2)],
)
def test_more_than_one_means_that_ours_is_better(metric, ours, other, expected):
    ratio = times_better(series("ours", ours, metric=metric), series("other", other, metric=metric))
    assert ratio == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (0.01234, "0.0123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")],
)
def test_numbers_are_readable(value, expected):
    assert readable(value) == expected


def test_results_survive_json():
    results = results_of(series("ours", 1, 2, 3), series("other", 4))
    again = Results.from_json(json.loads(json.dumps(results.as_json())))
    assert again.series == results.series
    assert as_markdown(again) == as_markdown(results)


def test_peers_are_compared_at_equal_durability():
    text = as_markdown(
        results_of(
            series("ours", 100),
            series("ours-normal", 300),
            series("other", 150),
            series("safe", 50),
        )
    )
    ratios = next(line for line in text.splitlines() if line.startswith("| … ours is so many"))
    assert [cell.strip() for cell in ratios.split("|")[2:-1]] == [
        "",
        "",
        "2.00× (full: 0.667×)",
        "2.00×",
    ]


def test_what_was_left_out_is_told():
    results = results_of(series("ours", 100))
    results.of("small", "", bench.ALL, "other").note = "took too long"
    text = as_markdown(results)
    assert "Left out: gone, for it is not installed." in text
    assert "- other, all: took too long" in text


def test_the_page_stands_by_itself(tmp_path):
    results = results_of(series("ours", 100, 110, 120), series("other", 150, 160, 170))
    write_reports(results, tmp_path)
    page = (tmp_path / "results.html").read_text(encoding="utf-8")
    assert page.count("<svg") == page.count("</svg>") == 1
    assert "http" not in page and "<script" not in page
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["rounds"] == 3


def test_options_of_the_command(tmp_path):
    options = parse(["--quick", "--only", "lists", "--peers", "ours", "--out", str(tmp_path)])
    assert options.quick and options.only == ["lists"] and options.peers == ["ours"]
    with pytest.raises(SystemExit):
        parse(["--peers", "nobody"])


@pytest.mark.parametrize(
    ("name", "only", "expected"),
    [
        ("lists-1000", None, True),
        ("lists-1000", ["lists"], True),
        ("lists-10000", ["lists-1000"], False),
        ("ranges", ["lists", "ranges"], True),
        ("ranges", ["range"], False),
    ],
)
def test_a_workload_is_chosen_by_its_words(name, only, expected):
    assert is_wanted(name, only) is expected


def test_tables_replace_what_follows_the_mark(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- results -->\n\nold\n", encoding="utf-8")
    put_into(page, "new\n")
    assert page.read_text(encoding="utf-8") == "# Title\n\n<!-- results -->\n\nnew\n"


def test_workloads_have_names_of_their_own():
    names = [workload.name for workload in WORKLOADS]
    assert len(names) == len(set(names))
    for scale in (FULL, QUICK):
        lists = [one.name for one in WORKLOADS if "lists" in one.name and one.belongs_to(scale)]
        assert lists == [f"lists-{count}" for count in scale.counts]


def test_parts_of_a_large_file_differ(tmp_path):
    large_source.make_source(tmp_path / "source", 4 << 20)
    data = (tmp_path / "source").read_bytes()
    assert len({data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20)}) == 4


def test_small_uploads_differ_in_name_and_bytes():
    job = {"seed": 1, "size": 100, "head": f"PUT /{load.NAME}.bin HTTP/1.1\r\n\r\n", "tail": ""}
    make = client.store_small(job)
    first, second = b"".join(make()), b"".join(make())
    assert len(first) == len(second) and load.NAME.encode() not in first
    assert first.split(b"\r\n\r\n")[0] != second.split(b"\r\n\r\n")[0]
    assert len(first.split(b"\r\n\r\n", 1)[1]) == 100


def test_a_server_that_fails_is_told_and_the_others_go_on(tmp_path):
    class Missing(Ours):
        name = title = "missing"

        @classmethod
        def version(cls) -> str:
            raise LookupError("it is not installed")

    class Broken(Ours):
        name = title = "broken"

        def command(self) -> list[str]:
            return [sys.executable, "-c", "raise SystemExit('no luck')"]

        def prepare(self) -> None: ...

    run = bench.Bench(tmp_path / "work", TINY, {})
    run.prepare([Missing, Broken])
    run.run(WORKLOADS[0])
    text = as_markdown(run.results)
    assert "Left out: missing, for it is not installed." in text
    assert "no luck" in text
    assert run.failed == {("small-uploads", "broken")}


class Everything(Workload):
    """What all workloads need of a server: small and large files, ranges, its lists."""

    name = title = explains = "everything"
    is_fresh = True

    def measure(self, turn: Turn) -> None:
        peer, size = turn.peer, turn.scale.large
        small = load.store_small(peer, clients=2, size=10_240, seconds=turn.scale.seconds)
        turn.record("", RATE, small.per_second)
        assert small.times_ms and not small.refused
        assert small.quantile_ms(0.5) <= small.quantile_ms(0.99)
        up = load.store_large(peer, turn.source, files=2, size=size // 2)
        assert up.bytes == size and len(up.paths) == 2
        assert load.fetch_large(peer, up.paths[1], clients=2, size=size // 2).bytes == size
        ranges = load.fetch_ranges(
            peer, up.paths[0], clients=2, file_size=size // 2, size=4096, seconds=0.1
        )
        assert ranges.times_ms and not ranges.refused
        assert memory.Memory(peer.pid).now() > 1 << 20
        assert memory.processor_seconds(peer.pid) > 0
        with pytest.raises(load.LoadError, match="404"):
            load.fetch_large(peer, "/download/999999", clients=1, size=1)


class PreparedOurs(Ours):
    """Ours, with data that the tests prepared already."""

    prepared: Path

    def prepare(self) -> None:
        template = self.folder / "template"
        if not template.exists():
            template.symlink_to(self.prepared)
        super().prepare()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite, on which this one runs")
@pytest.mark.live
def test_a_tiny_run_measures_our_server(prepared_data, tmp_path, monkeypatch):
    monkeypatch.setattr(PreparedOurs, "prepared", prepared_data, raising=False)
    run = bench.Bench(tmp_path / "work", TINY, {})
    peers: list[type[Peer]] = [PreparedOurs]
    run.prepare(peers)
    run.run(Everything())
    assert not run.failed, as_markdown(run.results)
    assert len(run.results.of("everything", "", RATE, "ours").values) == TINY.rounds
    assert not (tmp_path / "work" / "ours" / "data").exists()


def test_a_library_is_known_by_its_number_of_files(tmp_path):
    with sqlite3.connect(tmp_path / "files.sqlite3") as database:
        database.executescript("CREATE TABLE file (id INTEGER); INSERT INTO file VALUES (1), (2)")
    database.close()
    assert library_of(str(tmp_path)) == (2, tmp_path)
