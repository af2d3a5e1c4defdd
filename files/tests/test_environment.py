from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = """
from django.conf import settings
print(repr([settings.{name}]))
"""


def setting(name: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Read one setting in a process of its own, with just these variables."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("FILESERVER")}
    environ.pop("DATABASE_URL", None)
    environ |= {"DJANGO_SETTINGS_MODULE": "fileserver.settings", "PYTHONPATH": str(ROOT)}
    environ |= {"FILESERVER_DATA_DIR": str(tmp_path / "data")} | variables
    return subprocess.run(
        [sys.executable, "-c", REPORT.format(name=name)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "variable", "value", "expected"),
    [
        ("FILESERVER_MAX_UPLOAD_SIZE", "FILESERVER_MAX_UPLOAD_SIZE", "", "[None]"),
        ("FILESERVER_MAX_UPLOAD_SIZE", "FILESERVER_MAX_UPLOAD_SIZE", "0", "[None]"),
        ("FILESERVER_MAX_UPLOAD_SIZE", "FILESERVER_MAX_UPLOAD_SIZE", "1000", "[1000]"),
        ("FILESERVER_MAX_UPLOAD_SIZE", "FILESERVER_MAX_UPLOAD_SIZE", "2GiB", "[2147483648]"),
        ("FILESERVER_MAX_UPLOAD_SIZE", "FILESERVER_MAX_UPLOAD_SIZE", "500m", "[524288000]"),
        ("FILESERVER_ALLOW_OPEN", "FILESERVER_ALLOW_OPEN", "yes", "[True]"),
        ("ALLOWED_HOSTS", "FILESERVER_ALLOWED_HOSTS", "a.example, b", "[['a.example', 'b']]"),
        ("FILESERVER_ACCESS", "FILESERVER_ACCESS", "", "['open']"),
        ("FORCE_SCRIPT_NAME", "FILESERVER_URL_PREFIX", "/a/b/", "['/a/b']"),
        ("FORCE_SCRIPT_NAME", "FILESERVER_URL_PREFIX", "/", "[None]"),
        ("SECRET_KEY", "FILESERVER_SECRET_KEY", "mine", "['mine']"),
    ],
)
def test_what_a_variable_sets(tmp_path, name, variable, value, expected):
    assert setting(name, tmp_path, **{variable: value}).stdout.strip() == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FILESERVER_ACCESS", "opne"),
        ("FILESERVER_ALLOW_OPEN", "maybe"),
        ("FILESERVER_DURABILITY", "fast"),
        ("FILESERVER_MAX_UPLOAD_SIZE", "many"),
        ("FILESERVER_MAX_UPLOAD_SIZE", "-1"),
        ("FILESERVER_THREADS", "1.5"),
        ("FILESERVER_TRUSTED_PROXIES", "proxy.example"),
        ("FILESERVER_SECRET_KEY_FILE", "/nowhere"),
        ("DATABASE_URL", "oracle9://x"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path, variable, value):
    result = setting("SECRET_KEY", tmp_path, **{variable: value})
    assert result.returncode == 1
    assert f"ImproperlyConfigured: {variable}" in result.stderr


def test_the_secret_is_made_once_and_kept(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        found = {
            result.stdout
            for result in pool.map(lambda _: setting("SECRET_KEY", tmp_path), range(4))
        }
    (secret,) = found
    assert len(secret) > 50
    assert setting("SECRET_KEY", tmp_path).stdout == secret
    path = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["secret_key"]


def test_a_secret_can_come_from_a_file(tmp_path):
    path = tmp_path / "given"
    path.write_text("from a file\n")
    result = setting("SECRET_KEY", tmp_path, FILESERVER_SECRET_KEY_FILE=str(path))
    assert result.stdout.strip() == "['from a file']"
