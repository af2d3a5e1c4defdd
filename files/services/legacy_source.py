"""Reads the table `file` of the Flask and SQLAlchemy server that this one replaces.

Entry point: open_table. SQLite, MySQL or MariaDB, and PostgreSQL; nothing is ever written
there. Rows come in pages without their bytes, and bytes in slices, as one value may be
larger than memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

PAGE = 500
SLICE_SIZE = 8 << 20
NEEDED = ("id", "name", "data")
# Not there in every version of that server.
OPTIONAL = ("size", "upload_date", "hash")
# What tells this server's own table from that one's.
OURS = {"content_id", "space_id"}
ALIAS = "legacy"
SQLITE = "django.db.backends.sqlite3"
ENGINES = {SQLITE, "django.db.backends.mysql", "django.db.backends.postgresql"}


class LegacySourceError(Exception):
    """The database or table cannot be used; `str()` tells the operator why."""


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """What a row says of its file, believed or not."""

    id: Any
    name: str | None
    size: int | None  # bytes
    upload_date: str | None  # as the database writes it
    hash: str | None
    key: Any  # finds the row: `id`, on SQLite the rowid


class Blob(Protocol):
    """The bytes of one row."""

    size: int

    def read(self, start: int) -> bytes:
        """Return the slice that begins at byte `start`; empty only at the end."""

    def close(self) -> None: ...


class LegacyTable:
    """One table of a database that is only read."""

    def __init__(self, connection: BaseDatabaseWrapper, table: str) -> None:
        self._connection = connection
        self._table = table
        quoted = self._quoted
        self._from = f"FROM {quoted(table)}"
        self._data = quoted("data")
        self._id = quoted("id")
        self._key = "rowid" if connection.vendor == "sqlite" else self._id
        columns = self._columns()
        if missing := [name for name in NEEDED if name not in columns]:
            raise LegacySourceError(
                f"The table {table} has no column {' and no column '.join(missing)}; "
                f"it has {', '.join(sorted(columns))}."
            )
        if columns >= OURS:
            raise LegacySourceError(
                f"The table {table} belongs to a file server of this kind, not to the one before."
            )
        if connection.vendor == "sqlite":
            self._require_rowid(columns)
        self._selected = [
            # As text, since dates that are none would break the whole page.
            f"{self._as_text(quoted(name))}" if name in columns else "NULL"
            for name in ("name", *OPTIONAL)
        ]

    def close(self) -> None:
        self._connection.close()

    def count(self) -> int:
        """Return the number of rows."""
        ((count,),) = self._fetch(f"SELECT COUNT(*) {self._from}")
        return int(count)

    def rows(self) -> Iterator[LegacyRow]:
        """Yield all rows by their id, a query a page."""
        columns = ", ".join((self._id, *self._selected, self._key))
        last: Any = None
        while True:
            where = "" if last is None else f"WHERE {self._key} > %s"
            page = self._fetch(
                f"SELECT {columns} {self._from} {where} ORDER BY {self._key} LIMIT {PAGE}",
                *([] if last is None else [last]),
            )
            for id, name, size, date, hash, key in page:
                yield LegacyRow(id, name, _number(size), date, hash, key)
                last = key
            if len(page) < PAGE:
                return

    def open(self, row: LegacyRow) -> Blob | None:
        """Return the row's bytes, None where it has none. Raises DatabaseError."""
        if self._connection.vendor == "sqlite":
            ((kind,),) = self._fetch(
                f"SELECT typeof({self._data}) {self._from} WHERE rowid = %s", row.key
            )
            return None if kind == "null" else _SqliteBlob(self._connection, self._table, row.key)
        ((size,),) = self._fetch(
            f"SELECT OCTET_LENGTH({self._data}) {self._from} WHERE {self._id} = %s", row.key
        )
        if size is None:
            return None
        return _SlicedBlob(self, row.key, int(size), self._slice_size())

    def slice(self, key: Any, start: int, size: int) -> bytes:
        """Return `size` bytes from byte `start` on."""
        slice = f"SUBSTRING({self._data} FROM %s FOR %s)"
        where = f"WHERE {self._id} = %s"
        ((data,),) = self._fetch(f"SELECT {slice} {self._from} {where}", start + 1, size, key)
        return bytes(data or b"")

    def _slice_size(self) -> int:
        """Return how many bytes one answer may hold: MySQL gives NULL for more than a packet."""
        if self._connection.vendor != "mysql":
            return SLICE_SIZE
        ((packet,),) = self._fetch("SELECT @@max_allowed_packet")
        return min(SLICE_SIZE, int(packet) // 2)

    def _columns(self) -> set[str]:
        introspection = self._connection.introspection
        with self._connection.cursor() as cursor:
            tables = {table.name: table.type for table in introspection.get_table_list(cursor)}
            if self._table not in tables:
                found = f"it has {', '.join(sorted(tables))}" if tables else "it has no tables"
                raise LegacySourceError(f"The database has no table {self._table}; {found}.")
            if tables[self._table] == "v" and self._connection.vendor == "sqlite":
                raise LegacySourceError(f"{self._table} is a view; it must be a table.")
            # Not what the backend's introspection tells, which uses `connections`.
            cursor.execute(f"SELECT * {self._from} WHERE 1 = 0", ())
            return {column[0] for column in cursor.description}

    def _require_rowid(self, columns: set[str]) -> None:
        """Raise LegacySourceError where SQLite cannot find a row's bytes by its rowid."""
        if "rowid" in {name.lower() for name in columns}:
            raise LegacySourceError(
                f"The table {self._table} has a column rowid, which hides the number by which "
                "SQLite finds a row; rename it in a copy of the database."
            )
        try:
            self._fetch(f"SELECT rowid {self._from} WHERE 1 = 0")
        except OperationalError as error:
            if "no such column" not in str(error):
                raise
            raise LegacySourceError(
                f"The table {self._table} was made WITHOUT ROWID, so that SQLite cannot read its "
                "bytes in slices; copy its rows into a table with it."
            ) from error

    def _quoted(self, name: str) -> str:
        """Return the identifier for statements that get parameters, whatever it is made of."""
        # Django's `quote_name` neither doubles quotes nor quotes what looks quoted.
        mark = "`" if self._connection.vendor == "mysql" else '"'
        return mark + name.replace(mark, mark * 2).replace("%", "%%") + mark

    def _as_text(self, column: str) -> str:
        return f"CAST({column} AS {'CHAR' if self._connection.vendor == 'mysql' else 'TEXT'})"

    def _fetch(self, statement: str, *parameters: Any) -> Sequence[Sequence[Any]]:
        # Always with parameters, be it none: only then is "%%" read as "%".
        # Always all of it: no query is left open while something else is read.
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows: Sequence[Sequence[Any]] = cursor.fetchall()
        return rows


class _SqliteBlob:
    """Read in place: any expression of SQL would bring the whole value into memory."""

    def __init__(self, connection: BaseDatabaseWrapper, table: str, key: int) -> None:
        self._connection = connection
        with connection.wrap_database_errors:
            self._blob: sqlite3.Blob = connection.connection.blobopen(
                table, "data", key, readonly=True
            )
        self.size = len(self._blob)

    def read(self, start: int) -> bytes:
        with self._connection.wrap_database_errors:
            self._blob.seek(start)
            return self._blob.read(SLICE_SIZE)

    def close(self) -> None:
        self._blob.close()


class _SlicedBlob:
    """Read a slice a query."""

    def __init__(self, table: LegacyTable, key: Any, size: int, slice_size: int) -> None:
        self.size = size
        self._table = table
        self._key = key
        self._slice_size = slice_size

    def read(self, start: int) -> bytes:
        return self._table.slice(self._key, start, self._slice_size)

    def close(self) -> None:
        pass


def open_table(url: str, table: str) -> LegacyTable:
    """Connect to the database at `url`; raises LegacySourceError where that cannot be used.

    The driver that SQLAlchemy names ("mysql+pymysql://") is left out.
    """
    scheme, colon, rest = url.partition("://")
    try:
        parsed: Any = dj_database_url.parse(scheme.partition("+")[0] + colon + rest)
    except ValueError as error:
        raise LegacySourceError(
            "The database's URL cannot be read; it looks like sqlite:////path/files.db, "
            "mysql://user:password@host/name or postgres://user:password@host/name."
        ) from error
    if parsed["ENGINE"] not in ENGINES:
        raise LegacySourceError("The database must be SQLite, MySQL, MariaDB or PostgreSQL.")
    if parsed["ENGINE"] == SQLITE:
        if options := parsed.get("OPTIONS"):
            raise LegacySourceError(
                f"The URL of a SQLite file takes no options such as {', '.join(options)}."
            )
        parsed["NAME"] = _read_only(parsed["NAME"])
    try:
        connection = ConnectionHandler({"default": {}, ALIAS: parsed})[ALIAS]
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            # What is no UTF-8 in one name must not break the page it is on.
            connection.connection.text_factory = lambda text: text.decode("utf-8", "replace")
    except (Error, ImproperlyConfigured, TypeError, ValueError) as error:
        # The last two are what drivers make of options that they do not know.
        raise LegacySourceError(f"The database cannot be opened: {error}") from error
    try:
        return LegacyTable(connection, table)
    except BaseException:
        connection.close()
        raise


def _read_only(name: str) -> str:
    """Return the URI of a SQLite file that is neither made nor changed."""
    path = Path(name)
    try:
        is_there = path.is_file()
    except OSError as error:
        raise LegacySourceError(f"The database cannot be opened: {error}.") from error
    if not is_there:
        raise LegacySourceError(f"There is no database file {path.absolute()}.")
    return f"file:{quote(str(path.absolute()))}?mode=ro"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
