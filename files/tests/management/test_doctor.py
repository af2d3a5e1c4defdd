from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from files.doctor import configuration, examination, machine
from files.doctor.findings import Finding, ok, problem, warning
from files.management.commands import doctor
from files.tests.running_server import MANAGE, copy_prepared, environment_of

OK, WARNING, PROBLEM = ok("A", "Well."), warning("B", "So so.", "Do."), problem("C", "Bad.", "Go!")


def examined(monkeypatch, *findings: Finding) -> None:
    monkeypatch.setattr(doctor, "examine", lambda client: (finding for finding in findings))


def run_doctor(*arguments: str) -> str:
    out = io.StringIO()
    call_command("doctor", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_each_check_is_a_line_with_its_hint(monkeypatch):
    examined(monkeypatch, OK, WARNING)

    assert run_doctor().splitlines() == [
        "ok       A: Well.",
        "warning  B: So so.",
        "         → Do.",
        "2 checks; ok: 1, warning: 1, problem: 0.",
    ]


def test_a_problem_fails_the_command(monkeypatch):
    examined(monkeypatch, OK, PROBLEM)

    with pytest.raises(CommandError, match="1 problem."):
        run_doctor()


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_ctrl_c_tells_what_was_found_and_cleans_up(monkeypatch, capsys, json_option):
    cleaned = []

    def examine(client):
        try:
            yield PROBLEM
            raise KeyboardInterrupt
        finally:
            cleaned.append(True)

    monkeypatch.setattr(doctor, "examine", examine)
    with pytest.raises(SystemExit) as end:
        call_command("doctor", *json_option, no_color=True)

    out, err = capsys.readouterr()
    assert (end.value.code, err, cleaned) == (130, "Interrupted.\n", [True])
    if json_option:
        assert [one["check"] for one in json.loads(out)] == ["C"]
    else:
        assert out.splitlines()[-1] == "1 checks; ok: 0, warning: 0, problem: 1."


def test_json_holds_all(monkeypatch):
    examined(monkeypatch, OK, WARNING)

    assert json.loads(run_doctor("--json")) == [
        {"check": "A", "status": "ok", "text": "Well.", "hint": ""},
        {"check": "B", "status": "warning", "text": "So so.", "hint": "Do."},
    ]


def test_wrong_address_is_refused():
    with pytest.raises(CommandError, match="is no address like"):
        run_doctor("--url", "ftp://x")


def test_check_that_cannot_be_made_is_told(monkeypatch):
    def some_check():
        yield OK if not Path(__file__, "none").stat() else PROBLEM

    monkeypatch.setattr(machine, "CHECKS", (some_check,))
    monkeypatch.setattr(configuration, "CHECKS", ())
    monkeypatch.setattr(examination, "database_checks", lambda: iter(()))
    monkeypatch.setattr(examination, "passage", lambda client: iter([OK]))

    found = list(examination.examine(doctor.address("http://localhost")))

    assert [one.check for one in found] == ["Some check", "A"]
    assert "Not a directory" in found[0].text


def command(data: Path, *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run the command as a user does; its exit status and its findings by check."""
    process = subprocess.run(
        [*MANAGE, "doctor", "--json", *arguments],
        env=environment_of(data),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return process.returncode, {one["check"]: one for one in json.loads(process.stdout)}


@pytest.mark.live
def test_prepared_server_is_well_and_its_library_is_left_alone(prepared_data, tmp_path):
    data = tmp_path / "data"
    copy_prepared(prepared_data, data)
    data.chmod(0o700)

    status, found = command(data)

    assert status == 0, found
    assert {one["status"] for one in found.values()} <= {"ok", "warning"}
    assert "20 MiB arrive" in found["Upload"]["text"]
    assert sorted(path.name for path in data.iterdir()) == sorted(
        path.name for path in prepared_data.iterdir()
    )


@pytest.mark.live
def test_fresh_data_directory_is_told_and_not_touched(tmp_path):
    data = tmp_path / "data"
    data.mkdir(0o700)

    status, found = command(data)

    assert status == 1
    assert found["Database"]["status"] == found["Static files"]["status"] == "problem"
    assert found["Download"]["status"] == "ok"
    assert [path.name for path in data.iterdir()] == ["secret_key"]


@pytest.mark.live
def test_running_server_is_tried_and_the_probe_is_gone_for_good(server):
    status, found = command(server.data, "--url", server.url)

    assert status == 0, found
    assert found["Upload"]["status"] == "ok"
    assert server.query("SELECT COUNT(*) FROM file") == [(0,)]
