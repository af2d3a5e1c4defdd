"""Checks of the machine: versions, disk, limits, clock. Each is a generator of findings."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings

from files.doctor.findings import Finding, ok, problem, size, warning
from files.mime import sniff
from files.storage import room

MIN_PYTHON = (3, 11)
MIN_SQLITE = (3, 35, 0)  # the first that tells the ids of many rows inserted at once
TIGHT_BYTES, NO_BYTES = 2 << 30, 128 << 20
TIGHT_INODES = 10_000
# A busy worker: 2,048 connections, and three files for each thread's database.
OPEN_FILES = 4096
CLOCK_S = 5.0
# This code is no older.
NEWEST_KNOWN = time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0))

# The smallest PNG: one grey point.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)


def python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < MIN_PYTHON:
        yield problem("Python", f"{version} is too old.", "Install Python 3.11 or newer.")
    else:
        yield ok("Python", f"{version}, Django {django.get_version()}, {platform.system()}.")


def sqlite() -> Iterator[Finding]:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < MIN_SQLITE:
        yield problem("SQLite", f"{version} is too old.", "Use a Python with SQLite 3.35 or newer.")
    else:
        yield ok("SQLite", f"{version}.")


def file_types() -> Iterator[Finding]:
    try:
        found = sniff(_PNG, "")
    except (OSError, RuntimeError) as error:
        found = str(error)
    if found == "image/png":
        yield ok("File types", "libmagic works.")
    else:
        yield problem(
            "File types",
            f"libmagic does not know a PNG: {found}.",
            "Install the requirements again, or the system's libmagic (Debian: libmagic1).",
        )


def disk() -> Iterator[Finding]:
    folder = settings.FILESERVER_DATA_DIR
    free = room()
    where = f"in {folder}"
    if free is None:
        free = shutil.disk_usage(folder).free
        where += " (the database is elsewhere; look there too)"
    hint = "Make room, empty the trash, or set FILESERVER_DATA_DIR to a larger disk."
    if free < NO_BYTES:
        yield problem("Disk", f"Room for {size(free)} only {where}.", hint)
    elif free < TIGHT_BYTES:
        yield warning("Disk", f"Room for {size(free)} {where}.", hint)
    else:
        yield ok("Disk", f"Room for {size(free)} {where}.")


def inodes() -> Iterator[Finding]:
    found = os.statvfs(settings.FILESERVER_DATA_DIR)
    if not found.f_files:  # Some file systems make them as needed.
        return
    if found.f_favail < TIGHT_INODES:
        yield warning(
            "Inodes",
            f"{found.f_favail:,} more files can be made on the disk.",
            "The database needs a few only, but when there is none the server cannot start.",
        )
    else:
        yield ok("Inodes", f"{found.f_favail:,} more files can be made on the disk.")


def open_files() -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        yield warning(
            "Open files",
            f"A process may have {hard:,} files open; many clients at once need {OPEN_FILES:,}.",
            "Raise it: LimitNOFILE= of a systemd unit, ulimit -Hn, or --ulimit of a container.",
        )
    else:
        yield ok("Open files", "A process may have enough of them open.")


def clock() -> Iterator[Finding]:
    now = time.time()
    if now < NEWEST_KNOWN:
        yield problem(
            "Clock",
            f"It says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC.",
            "Set it; upload dates, sessions and the trash hang on it.",
        )
        return
    try:
        with tempfile.NamedTemporaryFile(dir=settings.FILESERVER_DATA_DIR) as stream:
            ahead_s = os.fstat(stream.fileno()).st_mtime - time.time()
    except OSError:
        return  # The check of the data directory tells.
    if abs(ahead_s) > CLOCK_S:
        yield warning(
            "Clock",
            f"The disk's clock is {ahead_s:+.0f} s from this machine's.",
            "The data directory seems to be on a network disk; let both keep time by NTP. "
            "SQLite's log needs a local disk.",
        )
    else:
        yield ok("Clock", f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC.")


def data_directory() -> Iterator[Finding]:
    folder = Path(settings.FILESERVER_DATA_DIR)
    status = folder.stat()
    owner = "" if status.st_uid == os.geteuid() else f" It belongs to user {status.st_uid}."
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield problem(
            "Data directory",
            f"{folder} cannot be written by this user.{owner}",
            f"chown -R {os.geteuid()} {folder}, or run this as the user that runs the server.",
        )
    elif owner:
        yield warning(
            "Data directory",
            f"{folder} is not this user's.{owner}",
            "Run commands as the user that runs the server, else it cannot write what they made.",
        )
    elif status.st_mode & 0o007:
        yield warning(
            "Data directory",
            f"{folder} is open to all users of the machine.",
            f"chmod 700 {folder}: the database in it holds every file.",
        )
    else:
        yield ok("Data directory", f"{folder} is this user's only.")


def secret_key() -> Iterator[Finding]:
    path = Path(os.environ.get("FILESERVER_SECRET_KEY_FILE") or secret_path())
    if os.environ.get("FILESERVER_SECRET_KEY"):
        yield ok("Secret key", "Comes from the environment.")
    elif not path.exists():
        yield problem("Secret key", f"{path} is gone.", "Start the server; it makes a new one.")
    elif path.stat().st_mode & 0o077:
        yield problem(
            "Secret key",
            f"{path} can be read by others (mode {path.stat().st_mode & 0o777:o}).",
            f"chmod 600 {path}: who knows it can sign in as anybody. If others had access, "
            "remove it; the server makes a new one, and all have to sign in again.",
        )
    else:
        yield ok("Secret key", f"{path} is readable by its owner only.")


def secret_path() -> Path:
    """Return where the secret is kept that the server made."""
    return Path(settings.FILESERVER_DATA_DIR) / "secret_key"


CHECKS = (
    python, sqlite, file_types, data_directory, secret_key, disk, inodes, open_files, clock,
)  # fmt: skip
