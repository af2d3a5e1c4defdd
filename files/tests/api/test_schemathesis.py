"""The server keeps to its OpenAPI document, whatever it is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from files.tests.running_server import RunningServer, ask

CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
# Requests made up for each operation, beside those at the edges of what it takes.
EXAMPLES = 20
OPTIONS = (
    "--phases=examples,coverage,fuzzing",
    f"--max-examples={EXAMPLES}",
    "--generation-deterministic",
    "--seed=1",
    "--continue-on-failure",
    "--no-shrink",
    "--suppress-health-check=all",
)


@pytest.mark.live
def test_the_server_keeps_to_its_document(server: RunningServer, tmp_path: Path):
    for number in range(3):
        server.upload(f"{number}.txt", b"text %d" % number)
    with server.connect() as connection:
        label = json.dumps({"name": "urgent"}).encode()
        ask(connection, "POST", "/api/v1/labels/", label, {"Content-Type": "application/json"})
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "--no-color", "--config-file", str(CONFIG), "run", *OPTIONS]
    done = subprocess.run(
        [*command, f"{server.url}/api/schema/"],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS), "PYTHONPATH": str(settings.BASE_DIR)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
