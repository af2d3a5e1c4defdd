"""Checks of a MySQL or MariaDB server: what its settings cost, and what they may lose."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from files.doctor import database_server as server
from files.doctor.findings import Check, Finding, ok, size, warning
from files.models import Chunk

# As much as older servers have by themselves.
MIN_LOG = 96 << 20
# Free pages within the tables of content that are worth the time to give them back.
MUCH_FREE = 1 << 30
_NAMES = (
    "innodb_flush_log_at_trx_commit",
    "innodb_doublewrite",
    "innodb_file_per_table",
    "innodb_log_file_size",
    "innodb_log_files_in_group",
    "innodb_redo_log_capacity",
    "innodb_buffer_pool_size",
    "log_bin",
    "binlog_annotate_row_events",
    "sync_binlog",
    "datadir",
)
# The chunks' own table last; information_schema may be some minutes old on MySQL.
_SIZES = (
    "SELECT COALESCE(SUM(IF(table_name = %s, 0, data_length + index_length)), 0),"
    " COALESCE(SUM(IF(table_name = %s, data_length, 0)), 0),"
    " COALESCE(SUM(IF(table_name = %s, data_free, 0)), 0)"
    " FROM information_schema.tables WHERE table_schema = DATABASE()"
)


def variables() -> dict[str, str]:
    """Return those of the server's variables that this version has."""
    places = ", ".join(["%s"] * len(_NAMES))
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({places})", _NAMES)
        return {str(name): str(value) for name, value in cursor.fetchall()}


def losses() -> Iterator[Finding]:
    """Tell what a power cut may take."""
    found = variables()
    flush = found["innodb_flush_log_at_trx_commit"]
    yield server.durability(
        f"innodb_flush_log_at_trx_commit is {flush}",
        is_kept=flush in ("1", "3"),
        hint="Put innodb_flush_log_at_trx_commit = 1 into the section [mysqld] of my.cnf",
    )
    if found["innodb_doublewrite"] in ("OFF", "0"):
        yield warning(
            "Half-written pages",
            "innodb_doublewrite is off: a power cut may leave pages that cannot be repaired.",
            "Leave it on, unless the file system writes 16 KiB as a whole (ZFS does).",
        )
    if found["log_bin"] == "ON" and found["sync_binlog"] != "1":
        yield warning(
            "Binary log",
            f"sync_binlog is {found['sync_binlog']}: after a power cut a replica, or a restore "
            "to a point in time, may lack the last uploads.",
            "Put sync_binlog = 1 into the section [mysqld] of my.cnf.",
        )


def costs() -> Iterator[Finding]:
    """Tell what makes it slower than it could be."""
    found = variables()
    log = int(found.get("innodb_redo_log_capacity", 0)) or (
        int(found["innodb_log_file_size"]) * int(found.get("innodb_log_files_in_group", 1))
    )
    if log < MIN_LOG:
        capacity = "innodb_redo_log_capacity"
        name = capacity if capacity in found else "innodb_log_file_size"
        yield warning(
            "InnoDB log",
            f"It has {size(log)}, which an upload fills within seconds, to wait for the disk.",
            f"Put {name} = 1G into the section [mysqld] of my.cnf, and restart the database.",
        )
    else:
        yield ok("InnoDB log", f"{size(log)}.")
    if found["log_bin"] == "ON" and found.get("binlog_annotate_row_events") == "ON":
        yield warning(
            "Binary log",
            "binlog_annotate_row_events is on: all content is written to the binary log twice.",
            "Put binlog_annotate_row_events = OFF into the section [mysqld] of my.cnf.",
        )
    rows, _chunks, _free = _sizes()
    pool = int(found["innodb_buffer_pool_size"])
    yield from server.cache("innodb_buffer_pool_size", pool, rows)


def space() -> Iterator[Finding]:
    """Tell what deleted files left, and how much room there is."""
    found = variables()
    if found.get("innodb_file_per_table") in ("OFF", "0"):
        yield warning(
            "Free pages",
            "innodb_file_per_table is off: space once taken is never given back to the disk.",
            "Switch it on, then run: ALTER TABLE chunk FORCE.",
        )
    _rows, chunks, free = _sizes()
    if free > max(MUCH_FREE, chunks // 2):
        yield warning(
            "Free pages",
            f"{size(free)} within the table of chunks are free, beside {size(chunks)} in use. New "
            "uploads take them; nothing is lost.",
            "OPTIMIZE TABLE chunk gives them to the disk; it needs room for a copy meanwhile.",
        )
    else:
        yield ok("Free pages", f"{size(free)} for new uploads within the table of chunks.")
    yield from server.room(found.get("datadir"))


def clocks() -> Iterator[Finding]:
    yield from server.clock("UNIX_TIMESTAMP(SYSDATE(6))")


def _sizes() -> tuple[int, int, int]:
    """Return the bytes of all tables but the chunks', those in use there, and those free."""
    rows, chunks, free = server.row(_SIZES, *[Chunk._meta.db_table] * 3)
    return int(rows), int(chunks), int(free)


CHECKS: tuple[Check, ...] = (server.requirements, losses, costs, space, clocks)
