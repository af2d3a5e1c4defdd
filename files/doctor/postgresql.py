"""Checks of a PostgreSQL server: what its settings cost, and what they may lose."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from files.doctor import database_server as server
from files.doctor.findings import Check, Finding, ok, problem, size, warning
from files.models import Chunk

MIN_WAL = 1 << 30
# Dead bytes of content that are worth a word.
MUCH_DEAD = 1 << 30
# What a row of TOAST, where long values are kept in parts, takes of a page at most.
TOAST_ROW = 2048
_NAMES = (
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "autovacuum",
    "shared_buffers",
    "max_wal_size",
)
# The table may not be there yet.
_SIZES = (
    "SELECT pg_database_size(current_database()) - chunks, chunks"
    " FROM COALESCE(pg_total_relation_size(to_regclass(%s)), 0) AS chunks"
)
_DEAD = (
    "SELECT COALESCE(SUM(n_dead_tup), 0), MAX(GREATEST(last_autovacuum, last_vacuum))"
    " FROM pg_stat_all_tables"
    " WHERE relid = (SELECT reltoastrelid FROM pg_class WHERE oid = to_regclass(%s))"
)
# How the column of the chunks' bytes is stored: "e" is EXTERNAL, out of line and as it is.
_STORAGE = (
    "SELECT MAX(attstorage::text) FROM pg_attribute"
    " WHERE attrelid = to_regclass(%s) AND attname = %s"
)


def variables() -> dict[str, str]:
    """Return the settings as this connection has them, sizes in bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, CASE WHEN unit IN ('8kB', 'MB') THEN"
            " pg_size_bytes(current_setting(name))::text ELSE setting END"
            " FROM pg_settings WHERE name = ANY(%s)",
            [list(_NAMES)],
        )
        return dict(cursor.fetchall())


def losses() -> Iterator[Finding]:
    """Tell what a power cut may take."""
    found = variables()
    if found["fsync"] == "off":
        yield problem(
            "Durability",
            "fsync is off: a power cut may destroy the whole database.",
            "Set fsync = on in postgresql.conf.",
        )
        return
    commit = found["synchronous_commit"]
    yield server.durability(
        f"synchronous_commit is {commit}",
        is_kept=commit != "off",
        hint="Set synchronous_commit = on in postgresql.conf",
    )
    if found["full_page_writes"] == "off":
        yield warning(
            "Half-written pages",
            "full_page_writes is off: a power cut may leave pages that cannot be repaired.",
            "Leave it on, unless the file system writes 8 KiB as a whole (ZFS does).",
        )


def costs() -> Iterator[Finding]:
    """Tell what makes it slower than it could be."""
    found = variables()
    wal = int(found["max_wal_size"])
    if wal < MIN_WAL:
        yield warning(
            "Write-ahead log",
            f"max_wal_size is {size(wal)}: a large upload forces one checkpoint after the other.",
            "Set max_wal_size = 4GB in postgresql.conf.",
        )
    else:
        yield ok("Write-ahead log", f"max_wal_size is {size(wal)}.")
    table, column = Chunk._meta.db_table, "data"
    (storage,) = server.row(_STORAGE, table, column)
    if storage not in (None, "e"):
        yield warning(
            "Compression",
            "PostgreSQL tries to compress each chunk of a file, mostly in vain; uploads take up to "
            "five times as long by it.",
            f"Run: ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL;",
        )
    rows, _chunks = _sizes()
    yield from server.cache("shared_buffers", int(found["shared_buffers"]), rows)


def space() -> Iterator[Finding]:
    """Tell what deleted files left, and how much room there is."""
    if variables()["autovacuum"] == "off":
        yield warning(
            "Vacuum",
            "autovacuum is off: the space of deleted files is never used again.",
            "Set autovacuum = on in postgresql.conf.",
        )
    dead, last = server.row(_DEAD, Chunk._meta.db_table)
    _rows, chunks = _sizes()
    dead_bytes = int(dead) * TOAST_ROW
    if dead_bytes > max(MUCH_DEAD, chunks // 4):
        when = f"last vacuumed {last:%Y-%m-%d %H:%M} UTC" if last else "never vacuumed"
        yield warning(
            "Deleted content",
            f"About {size(dead_bytes)} of deleted content wait for a vacuum ({when}).",
            "Run: VACUUM chunk; where it comes back, lower "
            "autovacuum_vacuum_scale_factor of its TOAST table.",
        )
    else:
        yield ok("Deleted content", f"Content takes {size(chunks)}, and little of it is dead.")
    yield from server.room(_data_directory())


def clocks() -> Iterator[Finding]:
    yield from server.clock("extract(epoch FROM clock_timestamp())")


def _sizes() -> tuple[int, int]:
    """Return the bytes of everything but the chunks, and of the chunks."""
    rows, chunks = server.row(_SIZES, Chunk._meta.db_table)
    return int(rows), int(chunks)


def _data_directory() -> str | None:
    """Return where its data are, if this user may know."""
    (folder,) = server.row(
        "SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'MEMBER')"
        " THEN current_setting('data_directory', true) END"
    )
    return str(folder) if folder else None


CHECKS: tuple[Check, ...] = (server.requirements, losses, costs, space, clocks)
