"""Makes the table of the Flask and SQLAlchemy server, as that server made it.

Entry point: legacy_database, in a database of its own that is dropped in the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dj_database_url
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

# What SQLAlchemy's types become: Integer, String, BigInteger, DateTime, LargeBinary.
COLUMNS = {
    "sqlite": """id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, size BIGINT,
        upload_date DATETIME, mime_type VARCHAR(100), data BLOB, hash VARCHAR(64)""",
    "mysql": """id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL,
        size BIGINT, upload_date DATETIME(6), mime_type VARCHAR(100), data LONGBLOB,
        hash VARCHAR(64)""",
    "postgresql": """id SERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL, size BIGINT,
        upload_date TIMESTAMP, mime_type VARCHAR(100), data BYTEA, hash VARCHAR(64)""",
}
DATE = "2019-03-31 02:30:00.250000"


@dataclass(frozen=True)
class LegacyDatabase:
    """A database with an empty table `file`."""

    url: str
    connection: BaseDatabaseWrapper

    def execute(self, statement: str, *parameters: Any) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def add(self, data: bytes | None, **changes: Any) -> None:
        """Insert a row as that server did; `changes` are other values of its columns."""
        row = {
            "name": "report.pdf",
            "size": len(data or b""),
            "upload_date": DATE,
            "mime_type": "application/pdf",
            "data": data,
            "hash": hashlib.sha256(data or b"").hexdigest(),
        } | changes
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        self.execute(f"INSERT INTO file ({names}) VALUES ({marks})", *row.values())  # noqa: S608


@contextlib.contextmanager
def legacy_database(kind: str, folder: Path) -> Iterator[LegacyDatabase]:
    """Make a database of the kind; of MySQL and PostgreSQL at FILESERVER_TEST_…_URL."""
    if kind == "sqlite":
        path = folder / "old files%?#.db"
        with _table(f"sqlite:///{quote(str(path))}", str(path)) as database:
            yield database
        return
    server_url = os.environ[server_variable(kind)]
    server, _, _ = server_url.rpartition("/")
    name = f"legacy_{uuid.uuid4().hex}"
    with contextlib.closing(_connect(server_url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        try:
            with _table(f"{server}/{name}", name) as database:
                yield database
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name}")


def server_variable(kind: str) -> str:
    """Return the environment variable that names a server of the kind."""
    return {"mysql": "FILESERVER_TEST_MYSQL_URL", "postgresql": "FILESERVER_TEST_POSTGRES_URL"}[
        kind
    ]


def _connect(url: str, **changes: Any) -> BaseDatabaseWrapper:
    parsed: Any = dj_database_url.parse(url) | changes
    return ConnectionHandler({"default": {}, "made": parsed})["made"]


@contextlib.contextmanager
def _table(url: str, name: str) -> Iterator[LegacyDatabase]:
    with contextlib.closing(_connect(url, NAME=name)) as connection:
        database = LegacyDatabase(url, connection)
        database.execute(f"CREATE TABLE file ({COLUMNS[connection.vendor]})")
        yield database
