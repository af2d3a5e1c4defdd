"""Children end with their parent, and the kept one is started again."""

import os
import signal
import subprocess
import sys
import time

import pytest

from files.child_processes import PARENT_VARIABLE, KeptProcess, die_with_parent

CHILD = "import time; from files.child_processes import die_with_parent; die_with_parent(); "


def wait_until(is_true, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def is_running(pid):
    """Return whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_child_ends_when_its_parent_is_killed():
    child = CHILD + "print('ready', flush=True); time.sleep(60)"
    program = (
        "import os, subprocess, sys, time\n"
        f"os.environ[{PARENT_VARIABLE!r}] = str(os.getpid())\n"
        f"print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
    wait_until(lambda: not is_running(pid), timeout_s=2)


def test_child_whose_parent_is_gone_already_ends():
    environment = os.environ | {PARENT_VARIABLE: "1"}
    command = [sys.executable, "-c", CHILD + "time.sleep(60)"]
    assert subprocess.run(command, env=environment, timeout=20, check=False).returncode == 1


def test_a_command_started_by_hand_has_no_parent_to_follow(monkeypatch):
    monkeypatch.delenv(PARENT_VARIABLE, raising=False)
    called = []
    die_with_parent(then=lambda: called.append(1))
    assert called == []


@pytest.fixture
def kept(monkeypatch):
    """Return a function that keeps a Python program running; all are stopped at the end."""
    monkeypatch.setattr(KeptProcess, "FIRST_DELAY_S", 0.05)
    started = []

    def start(*command):
        process = KeptProcess(command)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()


def test_a_kept_process_is_started_again(kept, tmp_path, caplog):
    note = tmp_path / "note"
    kept(sys.executable, "-c", f"open({str(note)!r}, 'a').write('x'); raise SystemExit(3)")
    wait_until(lambda: note.exists() and len(note.read_text()) >= 3)
    assert "ended (3) and is started again in 0 s" in caplog.text


def test_a_program_that_is_not_there_harms_nobody(kept, caplog):
    process = kept("/nonexistent/program")
    wait_until(lambda: caplog.text.count("No such file") >= 2)
    assert process.thread.is_alive()


@pytest.mark.parametrize("deaf", [False, True])
def test_stop_ends_the_process(kept, tmp_path, monkeypatch, deaf):
    monkeypatch.setattr(KeptProcess, "STOP_S", 0.3)
    note = tmp_path / "note"
    ignore = f"signal.signal({int(signal.SIGTERM)}, signal.SIG_IGN);" if deaf else ""
    program = f"import os, signal, time; {ignore} open({str(note)!r}, 'w').write(str(os.getpid()));"
    process = kept(sys.executable, "-c", program + "time.sleep(60)")
    wait_until(lambda: note.exists() and note.read_text() != "")
    pid = int(note.read_text())
    process.stop()
    assert not is_running(pid)
