"""Writes what a run found: figures as JSON, a table in Markdown, a page with charts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from benchmarks.charts import bars
from benchmarks.figures import Results, Series, readable, times_better

STYLE = """
:root { color-scheme: light dark; --text: #1c2024; --faint: #5c6670; --line: #d5dade;
  --page: #fff; --ours: #2563a8; --peer: #a9b4bf; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ea; --faint: #9aa4ae; --line: #3a424a;
  --page: #15181b; --ours: #6ba6e8; --peer: #5d6873; } }
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; display: block; font-size: .875rem; overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.words td, .words th { text-align: left; }
svg { display: block; font-size: 13px; height: auto; margin: 0 0 1rem; max-width: 100%; }
svg text { fill: var(--text); } svg .title { font-weight: 600; } svg .name { text-anchor: end; }
svg .ours { fill: var(--ours); } svg .peer { fill: var(--peer); }
svg .quartiles { stroke: var(--text); stroke-width: 2; }
.faint { color: var(--faint); }
"""
HOW_TO_READ = (
    "Medians of the rounds, in parentheses where the middle half of them lies. Below each figure "
    "of a peer: how many times as good ours is; less than 1 means that ours loses. Peers that "
    "answer before the disk has the bytes are compared with ours at durability normal, where "
    "that was measured, and then with our default (full)."
)

Row = list[str]
PEER_HEAD: Row = ["server", "version", "before it says yes to an upload, it …"]


def write_reports(results: Results, out: Path) -> None:
    """Write results.json, results.md and results.html into a folder."""
    text = json.dumps(results.as_json(), indent=1)
    (out / "results.json").write_text(text, encoding="utf-8")
    (out / "results.md").write_text(as_markdown(results), encoding="utf-8")
    (out / "results.html").write_text(as_html(results), encoding="utf-8")


def as_markdown(results: Results) -> str:
    """Return the tables, and what is needed to read them."""
    about = results.about
    lines = [
        *(f"- {name}: {value}" for name, value in about["machine"].items()),
        f"- rounds: {about['rounds']}; the large file: {about['large']}",
        "",
        HOW_TO_READ,
        "",
        *markdown_table(
            ["server", "version", "before it says yes to an upload, it …"], peers(about)
        ),
        *(f"\nLeft out: {name}, for {reason}." for name, reason in about["missing"].items()),
    ]
    for name, told in about["workloads"].items():
        lines += ["", f"## {told['title']}", "", told["explains"], ""]
        head, rows = table(results, name)
        lines += markdown_table(head, rows)
        lines += ["", *(f"- {note}" for note in notes(results, name))]
    return "\n".join(lines).rstrip() + "\n"


def as_html(results: Results) -> str:
    """Return a page that needs nothing else: the charts, a table beneath each."""
    about = results.about
    names = {name: told["title"] for name, told in about["peers"].items()}
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Benchmark</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body><h1>Benchmark</h1>",
        f'<p class="faint">{escape("; ".join(f"{n}: {v}" for n, v in about["machine"].items()))}'
        f"; rounds: {about['rounds']}; the large file: {about['large']}</p>",
        f"<p>{escape(HOW_TO_READ)}</p>",
        html_table(PEER_HEAD, peers(about), kind="words"),
        *(f"<p>{escape(f'Left out: {n}, for {why}.')}</p>" for n, why in about["missing"].items()),
    ]
    for workload, told in about["workloads"].items():
        parts += [f"<h2>{escape(told['title'])}</h2><p>{escape(told['explains'])}</p>"]
        for group in results.groups(workload):
            if len(measured := [one for one in group if one.values]) > 1:
                parts.append(bars(heading(measured[0]), measured, names))
        parts.append(html_table(*table(results, workload)))
        parts += [f'<p class="faint">{escape(note)}</p>' for note in notes(results, workload)]
    return "\n".join([*parts, "</body></html>", ""])


def peers(about: dict[str, object]) -> list[Row]:
    """Return a row for each server: name, version, what it does."""
    told = about["peers"]
    assert isinstance(told, dict)
    return [[one["title"], one["version"], one["does"]] for one in told.values()]


def heading(one: Series) -> str:
    """Return what is measured, its unit, and which way is better."""
    metric = one.metric
    what = f"{one.case}: {metric.name}" if one.case else metric.name
    best = "; best round" if metric.is_best else ""
    return f"{what}, {metric.unit} ({'more' if metric.more_is_better else 'less'} is better{best})"


def table(results: Results, workload: str) -> tuple[Row, list[Row]]:
    """Return the head and the rows of a workload: figures, and below them the ratios."""
    groups = [group for group in results.groups(workload) if any(one.values for one in group)]
    measured = {one.peer for group in groups for one in group if one.values}
    columns = {n: told["title"] for n, told in results.about["peers"].items() if n in measured}
    rows: list[Row] = []
    for group in groups:
        by_peer = {one.peer: one for one in group if one.values}
        label = heading(next(iter(by_peer.values())))
        rows.append([label, *(figure(by_peer.get(name)) for name in columns)])
        ratios = [ratio(results, by_peer.get(name)) for name in columns]
        if any(ratios):
            rows.append(["… ours is so many times as good", *ratios])
    return ["", *columns.values()], rows


def figure(one: Series | None) -> str:
    """Return a median and its quartiles."""
    if one is None:
        return "–"
    if len(one.values) < 2:
        return readable(one.typical)
    low, high = one.quartiles
    return f"{readable(one.typical)} ({readable(low)}–{readable(high)})"


def ratio(results: Results, one: Series | None) -> str:
    """Return how many times as good ours is, at equal durability and as it comes."""
    if one is None or one.peer.startswith("ours"):
        return ""
    full, normal = results.find(one, "ours"), results.find(one, "ours-normal")
    as_it_comes = f"{readable(times_better(full, one))}×" if full else ""
    if normal is None or one.peer in results.about["synced"]:
        return as_it_comes
    equal = f"{readable(times_better(normal, one))}×"
    return f"{equal} (full: {as_it_comes})" if full else equal


def notes(results: Results, workload: str) -> list[str]:
    """Return why figures are missing."""
    return [
        f"{results.about['peers'][one.peer]['title']}, {one.case or 'all'}: {one.note}"
        for group in results.groups(workload)
        for one in group
        if one.note
    ]


def markdown_table(head: Row, rows: Iterable[Row]) -> list[str]:
    """Return the lines of a table; a bar in a cell would end it."""
    lines = [head, ["---", *("---:" if not head[0] else "---" for _cell in head[1:])], *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def html_table(head: Row, rows: Iterable[Row], kind: str = "figures") -> str:
    """Return a table."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<table class="{kind}"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>'
