"""Every example of the documentation is run, and answered as the page says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from files.tests.live_databases import kind_of
from files.tests.running_server import RunningServer

ROOT = Path(settings.BASE_DIR)
PAGES = ("README.md", "docs/http.md", "docs/api.md")
ADDRESS = "http://127.0.0.1:8000"
# What examples find beside them.
SAMPLES = {
    "report.pdf": b"%PDF-1.7\n" + b"%" * 48_204,
    "notes.txt": b"Some notes.\n",
    "photos.zip": b"PK\x05\x06" + bytes(18),
    "talk.mp4": b"\0\0\0\x18ftypmp42" + bytes(3_000_000),
}
BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```\n(?P<gap>\s*)", re.M | re.S)
# Lets the next file have the next id: a server's counter has counted a refused one, too.
COUNT_ANEW = {
    "mysql": "ALTER TABLE file AUTO_INCREMENT = 1",
    "postgres": "SELECT setval(pg_get_serial_sequence('file', 'id'), MAX(id)) FROM file",
}
# What differs from run to run; ids don't, on an empty server.
VOLATILE = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<server>"),
    (re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?"), "<date>"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "<date>"),
    (re.compile(r"sha-256=:[\w+/=]+:"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{32,64}\b"), "<hex>"),
    (re.compile(r"(after|before)=[\w-]+"), r"\1=<place>"),
)

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


@dataclass(frozen=True)
class Example:
    """Commands of a page, and what it says that the last of them answers, if it does."""

    page: str
    line: int
    commands: tuple[str, ...]
    kind: str  # of the answer: "json", "http" or "" for none
    answer: str


@dataclass(frozen=True)
class Told:
    """What a command printed, and the statuses of its requests."""

    output: str
    statuses: tuple[int, ...]


def examples_of(page: str) -> list[Example]:
    """Return the examples of a page: its blocks of shell that use curl."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    found = []
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        commands = block["text"].replace("\\\n", "").splitlines()
        if block["kind"] != "sh" or "curl " not in commands[0]:
            continue
        answer = following if following and following.start() == block.end() else None
        found.append(
            Example(
                page=page,
                line=text.count("\n", 0, block.start()) + 1,
                commands=tuple(commands),
                kind=answer["kind"] if answer else "",
                answer=answer["text"] if answer else "",
            )
        )
    return found


def run(command: str, url: str, folder: Path) -> Told:
    """Run one command as a user would; its statuses are told by curl itself."""
    # Else `-OJ` would meet the file that was uploaded, and refuse to write over it.
    cwd = folder / "downloads" if " -OJ" in command else folder
    done = subprocess.run(
        ["bash", "-c", command.replace(ADDRESS, url)],
        cwd=cwd,
        env={"CURL_HOME": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return Told(done.stdout, tuple(map(int, done.stderr.split())))


def masked(value: object) -> object:
    """Return `value` with everything volatile replaced."""
    if isinstance(value, dict):
        return {key: masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if isinstance(value, str):
        for pattern, word in VOLATILE:
            value = pattern.sub(word, value)
        return value
    return value


def parts_of(message: str) -> tuple[str, dict[str, str], str]:
    """Return the status line, the headers by lower-case name, and the body."""
    head, _, body = message.replace("\r\n", "\n").partition("\n\n")
    status, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return status, {name.lower(): value for name, value in headers.items()}, body


def check_message(told: str, expected: str) -> None:
    """Compare an answer with its headers; the page need not tell all of these."""
    status, headers, body = parts_of(told)
    wanted_status, wanted_headers, wanted_body = parts_of(expected)
    assert status.split()[1] == wanted_status.split()[1], told
    for name, value in wanted_headers.items():
        assert masked(headers.get(name, f"no header {name}")) == masked(value), told
    if wanted_body.strip() and headers.get("content-type", "").endswith("json"):
        assert masked(json.loads(body)) == masked(json.loads(wanted_body))
    elif wanted_body.strip():
        assert body.strip() == wanted_body.strip()


def check(example: Example, told: Told) -> None:
    if example.kind == "http":
        check_message(told.output, example.answer)
        return
    if example.kind == "json":
        answer = json.loads(told.output)
        assert masked(answer) == masked(json.loads(example.answer))
        if isinstance(answer, dict) and "code" in answer:
            assert told.statuses[-1] == answer["status"]
        return
    assert max(told.statuses) < 400, told.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files that the examples name."""
    for name, data in SAMPLES.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.png").write_bytes(b"picture")
    (tmp_path / ".curlrc").write_text('silent\nwrite-out = "%{stderr}%{http_code} "\n')
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_every_example_does_what_the_page_says(page: str, server: RunningServer, folder: Path):
    examples = examples_of(page)
    assert examples
    for example in examples:
        told = [run(command, server.url, folder) for command in example.commands]
        try:
            check(example, told[-1])
            assert example.kind or all(max(one.statuses) < 400 for one in told)
        except Exception as error:
            raise AssertionError(f"{page}, line {example.line}: {example.commands}") from error
        count_anew = COUNT_ANEW.get(kind_of(server.database_url))
        if count_anew and any(409 in one.statuses for one in told):
            server.query(count_anew)
