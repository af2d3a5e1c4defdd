"""What the checks of MySQL and of PostgreSQL have in common."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import ERROR
from django.db import connection

from files.checks import database_messages
from files.doctor.findings import Finding, ok, problem, size, warning

# Hosts that are this machine; "" is a socket.
_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})
CLOCK_S = 5.0
TIGHT_BYTES, NO_BYTES = 2 << 30, 256 << 20


def row(statement: str, *parameters: Any) -> tuple[Any, ...]:
    """Return the only row of a query's answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return tuple(cursor.fetchone())


def requirements() -> Iterator[Finding]:
    """Tell what `serve` and `migrate` look at before they start."""
    messages = database_messages(connection)
    for message in messages:
        make = problem if message.level >= ERROR else warning
        yield make("Database settings", f"{message.msg} ({message.id})", message.hint or "")
    if not any(message.is_serious() for message in messages):
        yield ok("Database settings", "Names, bytes and transactions are safe with them.")


def durability(name: str, *, is_kept: bool, hint: str) -> Finding:
    """Return whether what is acknowledged survives a power cut, as the setting asks."""
    if is_kept:
        return ok("Durability", "What is acknowledged survives a power cut.")
    if settings.FILESERVER_DURABILITY == "normal":
        return ok("Durability", f"FILESERVER_DURABILITY is normal, which {name} does.")
    return warning(
        "Durability",
        f"{name}: a power cut may take the last moments of what was acknowledged.",
        f"{hint}, or set FILESERVER_DURABILITY=normal if that may be.",
    )


def clock(now: str) -> Iterator[Finding]:
    """Compare the clocks; `now` is SQL for the database's, in seconds since 1970.

    Each web server goes by its own clock, and all compare their times in the database.
    """
    before = time.time()
    (theirs,) = row(f"SELECT {now}")
    after = time.time()
    apart = max(before - float(theirs), float(theirs) - after, 0.0)
    if apart > CLOCK_S:
        yield warning(
            "Clocks",
            f"Those of the database and of this machine are {apart:,.0f} s apart.",
            "Set both by NTP: times of several web servers are compared.",
        )
    else:
        yield ok("Clocks", "The database's and this machine's agree.")


def room(folder: str | None) -> Iterator[Finding]:
    """Look at the disk of the database, where it is this machine's and may be seen."""
    host = str(connection.settings_dict["HOST"])
    try:
        is_here = host in _HERE or host.startswith("/")
        free = shutil.disk_usage(Path(folder)).free if folder and is_here else None
    except OSError:
        free = None
    hint = "Make room there, or empty the trash: manage.py sweep follows it."
    if free is None:
        yield ok("Database disk", "Unknown from here; look at the database's machine.")
    elif free < NO_BYTES:
        yield problem("Database disk", f"Room for {size(free)} only in {folder}.", hint)
    elif free < TIGHT_BYTES:
        yield warning("Database disk", f"Room for {size(free)} only in {folder}.", hint)
    else:
        yield ok("Database disk", f"Room for {size(free)} in {folder}.")


def cache(name: str, bytes_of_cache: int, bytes_of_rows: int) -> Iterator[Finding]:
    """Compare the cache with all tables but the chunks, which pass through it once."""
    if bytes_of_cache < bytes_of_rows:
        yield warning(
            "Cache",
            f"{name} is {size(bytes_of_cache)}; names, dates and indexes are "
            f"{size(bytes_of_rows)}, so that lists wait for the disk.",
            f"Raise {name}; a quarter to a half of the database's memory is usual.",
        )
    else:
        yield ok("Cache", f"{name} is {size(bytes_of_cache)}, enough for all lists.")
