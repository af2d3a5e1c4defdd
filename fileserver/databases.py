"""What a DATABASE_URL becomes: this project's backends, and the options that they need."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# Seconds. A server that does not even answer the call is away.
CONNECT_TIMEOUT_S = 5
# Seconds for which a row is waited for that another transaction changes; what waits in vain is
# tried again (files.storage.transactions). By themselves MySQL waits 50, PostgreSQL for ever.
LOCK_TIMEOUT_S = 3
# What does not fit is refused, not cut off (Django's own advice). Backslashes escape.
MYSQL_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
NO_ADDRESS = (
    "This is no address of a database. One looks like sqlite:////path/files.db, "
    "mysql://user:password@host/name or postgres://user:password@host/name; in a password, %, /, "
    "#, ? and @ are written %25, %2F, %23, %3F and %40."
)
NO_DRIVER = (
    "For MySQL and MariaDB the driver mysqlclient is needed, and it is not installed. Run "
    "`make mysql`, which builds it: that takes a C compiler, pkg-config and the client's headers "
    "(on Debian and Ubuntu: apt-get install gcc pkg-config libmariadb-dev python3-dev)."
)


def configured_database(data_dir: Path, durability: str) -> dict[str, Any]:
    """Return the entry of DATABASES that DATABASE_URL names, else a file in `data_dir`."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        return sqlite_settings(data_dir / "files.sqlite3", durability)
    try:
        return database_settings(url, durability)
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"DATABASE_URL: {error}") from None


def database_settings(url: str, durability: str | None = None) -> dict[str, Any]:
    """Return an entry of DATABASES; raises ImproperlyConfigured where the address is none.

    Which never tells a part of it, as that may be one of a password.
    `durability` is FILESERVER_DURABILITY, read from the settings if not given.
    """
    durability = durability or settings.FILESERVER_DURABILITY
    try:
        parsed: Any = dj_database_url.parse(url)
    except ValueError:
        # Its text may quote what is a part of a password.
        raise ImproperlyConfigured(NO_ADDRESS) from None
    asked = parsed.pop("OPTIONS", {})
    match parsed["ENGINE"].rpartition(".")[2]:
        case "sqlite3":
            own = sqlite_settings(parsed["NAME"], durability)
        case "mysql":
            own = _mysql_settings()
        case "postgresql":
            own = _postgresql_settings(durability, asked)
        case _:
            raise ImproperlyConfigured("The database must be SQLite, MySQL, MariaDB or PostgreSQL.")
    return dict(parsed | own | {"OPTIONS": own["OPTIONS"] | asked})


def sqlite_settings(file: Path | str, durability: str) -> dict[str, Any]:
    """Return the entry of DATABASES for a SQLite file."""
    synchronous = {"full": "FULL", "normal": "NORMAL"}[durability]
    return {
        "ENGINE": "fileserver.sqlite",
        "NAME": file,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Every transaction that writes takes the lock at its start: two that read
            # first and write later would fail at once instead of waiting.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,  # seconds
            "init_command": (
                f"PRAGMA synchronous = {synchronous};"
                # KiB in each thread's connection; the system caches the file besides.
                "PRAGMA cache_size = -1024;"
                # Else a burst's log file stays at its largest size for ever.
                "PRAGMA journal_size_limit = 67108864;"
            ),
        },
    }


def _mysql_settings() -> dict[str, Any]:
    if find_spec("MySQLdb") is None:
        raise ImproperlyConfigured(NO_DRIVER)
    return {
        "ENGINE": "fileserver.mysql",
        "OPTIONS": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "sql_mode": MYSQL_MODE,
            # Under the server's default, transactions that read hinder others' inserts.
            "isolation_level": "read committed",
            "init_command": f"SET SESSION innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}",
        },
    }


def _postgresql_settings(durability: str, asked: dict[str, Any]) -> dict[str, Any]:
    # What the address asks for comes last, and wins.
    options = [f"-c lock_timeout={LOCK_TIMEOUT_S}s", str(asked.pop("options", ""))]
    if durability == "normal":
        options.insert(0, "-c synchronous_commit=off")
    return {
        "ENGINE": "fileserver.postgresql",
        "OPTIONS": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": " ".join(options).strip(),
        },
    }
