"""Databases of their own for the servers and commands that tests start.

Entry points: url_of for what belongs to a data folder, make, copy and drop for the database
behind it, connect and query to look into it beside the server.

Where DATABASE_URL names a MySQL, MariaDB or PostgreSQL server, a data folder's database is one
on that server, its name made from the folder's; else it is SQLite's file in the folder.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

TESTED_URL = os.environ.get("DATABASE_URL", "")
SQLITE = "sqlite"
SERVERS = {"mysql": "mysql", "mariadb": "mysql", "postgres": "postgres", "postgresql": "postgres"}
NAME_BYTES = 40  # of the name in DATABASE_URL; both servers allow a little over 60 in all
# Words of a database's own that are the names of our columns may be quoted as SQL says.
MYSQL_MODE = "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'), lock_wait_timeout = 60"
_made: set[str] = set()


class Connection(Protocol):
    """What the three drivers have in common; each commits every statement by itself."""

    def cursor(self) -> Any: ...
    def close(self) -> None: ...


def kind_of(url: str) -> str:
    """Return "sqlite", "mysql" or "postgres"."""
    return SERVERS.get(urlsplit(url).scheme, SQLITE)


def url_of(data: Path) -> str:
    """Return the address of the database that belongs to a data folder."""
    if kind_of(TESTED_URL) == SQLITE:
        return f"sqlite:///{data.absolute() / 'files.sqlite3'}"
    digest = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]
    return _with_name(TESTED_URL, f"{_name(TESTED_URL)[:NAME_BYTES]}_{digest}")


def make(url: str) -> None:
    """Make an empty database, which ends with this process at the latest."""
    if kind_of(url) == SQLITE:
        return
    drop(url)
    if kind_of(url) == "mysql":
        _administer(url, f"CREATE DATABASE `{_name(url)}` CHARACTER SET utf8mb4")
    else:
        _administer(url, f'CREATE DATABASE "{_name(url)}"')
    _will_be_dropped(url)


def copy(source: str, url: str) -> None:
    """Make a database like another one that nobody uses; SQLite's file is its owner's to copy."""
    if kind_of(url) == "postgres":
        drop(url)
        _administer(url, f'CREATE DATABASE "{_name(url)}" TEMPLATE "{_name(source)}"')
        _will_be_dropped(url)
    elif kind_of(url) == "mysql":
        make(url)
        _copy_tables(source, url)


def drop(url: str) -> None:
    """Remove a database with all that is connected to it; none is fine."""
    if kind_of(url) == "mysql":
        _administer(url, f"DROP DATABASE IF EXISTS `{_name(url)}`")
    elif kind_of(url) == "postgres":
        _administer(url, f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')
    _made.discard(url)


def drop_all() -> None:
    """Remove every database that was made here and is still there."""
    for url in list(_made):
        drop(url)


def connect(url: str) -> Connection:
    """Connect as the driver does by itself; every statement is a transaction."""
    if kind_of(url) == "postgres":
        import psycopg

        return psycopg.connect(url, autocommit=True)
    if kind_of(url) == "mysql":
        import MySQLdb

        parts = urlsplit(url)
        opened: Connection = MySQLdb.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=_name(url),
            charset="utf8mb4",
            autocommit=True,
            init_command=MYSQL_MODE,
        )
        return opened
    return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60, isolation_level=None)


def query(url: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run one statement with `%s` for parameters and `"…"` around names; return its rows."""
    if kind_of(url) == SQLITE:
        statement = statement.replace("%s", "?")
    with contextlib.closing(connect(url)) as connection:
        cursor = connection.cursor()
        # With no parameters a % is a % to each.
        cursor.execute(statement, *([parameters] if parameters else []))
        return list(cursor.fetchall()) if cursor.description else []


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.removeprefix("/"))


def _with_name(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _administer(url: str, statement: str) -> None:
    """Run a statement that is about databases, so not in the one that it names."""
    query(_with_name(url, "postgres" if kind_of(url) == "postgres" else ""), statement)


def _will_be_dropped(url: str) -> None:
    if not _made:
        atexit.unregister(drop_all)
        atexit.register(drop_all)
    _made.add(url)


def _copy_tables(source: str, url: str) -> None:
    """Replay MySQL's tables with their rows, which is quicker than to migrate again."""
    with contextlib.closing(connect(url)) as connection:
        cursor = connection.cursor()
        # As they were written down, and in any order.
        cursor.execute("SET foreign_key_checks = 0, sql_mode = ''")
        cursor.execute(f"SHOW TABLES IN `{_name(source)}`")
        for (table,) in list(cursor.fetchall()):
            original = f"`{_name(source)}`.`{table}`"
            cursor.execute(f"SHOW CREATE TABLE {original}")
            cursor.execute(cursor.fetchone()[1])
            cursor.execute(f"INSERT INTO `{table}` SELECT * FROM {original}")  # noqa: S608
