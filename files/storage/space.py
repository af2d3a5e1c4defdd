"""Gives space that nothing needs any more back to the disk, or to what is stored next."""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper

from files.models import MAX_CHUNK_SIZE

# Dead bytes from which PostgreSQL is made to look for them.
VACUUM_BYTES = 64 << 20


def empty_log() -> None:
    """Bring SQLite's log into the file and give its space back, unless a reader needs it."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.empty_log()  # type: ignore[attr-defined]  # of fileserver.sqlite


def give_space_back(removed: int = 0, pages: int = 1000) -> int:
    """Return space that nothing needs any more to the disk; the number of pages freed.

    To be called until it is 0. Each call frees up to `pages` of SQLite's file. PostgreSQL
    reuses what was `removed` (bytes) only after a VACUUM, for which its own waits until a
    fifth of the table is gone. MySQL reuses it by itself, and its files keep their size.
    """
    if connection.vendor == "postgresql":
        return _vacuum(removed)
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA freelist_count").fetchone()[0]
        # execute() would run one step, and each step frees one page.
        with connection.wrap_database_errors:
            connection.connection.executescript(f"PRAGMA incremental_vacuum({pages:d})")
        after = cursor.execute("PRAGMA freelist_count").fetchone()[0]
    return int(before - after)


def _vacuum(removed: int) -> int:
    """Vacuum the chunks where that is worth it; the number of pages their files are shorter."""
    with connection.cursor() as cursor:
        # Those of earlier sweeps; what was removed just now is counted a moment later.
        cursor.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'chunk'::regclass")
        (dead,) = cursor.fetchone() or (0,)
        if max(removed, dead * MAX_CHUNK_SIZE) < VACUUM_BYTES:
            return 0
        before = _chunk_pages(cursor)
        # It holds nobody up; where another sweep is at it, this one leaves it to that.
        cursor.execute("VACUUM (SKIP_LOCKED) chunk")
        return max(before - _chunk_pages(cursor), 0)


def _chunk_pages(cursor: CursorWrapper) -> int:
    cursor.execute("SELECT pg_total_relation_size('chunk') / current_setting('block_size')::bigint")
    return int(cursor.fetchone()[0])
