"""Django's SQLite backend: files made for content, and writers that queue.

SQLite lets a waiting writer sleep and try again, with sleeps of up to 100 ms and no
order among those who wait: eight uploaders see one in a hundred wait for a second.
Threads of one process take turns at a lock here, so that SQLite's own waiting is left
to the few processes. The lock only saves time: what is right does not hang on it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import defaultdict
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.backends.utils import CursorWrapper

# Only ever for an empty file: `auto_vacuum` begins a transaction that writes, so that
# each new connection would wait for the writer of the moment. The order matters: the
# first two are fixed by the first table, and auto_vacuum is ignored once in WAL mode.
NEW_FILE = """
    PRAGMA page_size = 32768;
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
"""

# Bytes of the log (the file -wal). SQLite starts it anew when no reader needs it, which
# under steady downloads is never: 860 MB were seen. Above this a writer waits for them.
LOG_LIMIT = 256 << 20
LOG_WAIT_MS = 100
# Size of the log at which it is looked at next, by the database's name.
_next_check: dict[str, int] = {}

# Pages (32 KiB each) that a transaction may change before SQLite writes some of them to the
# log early. Where it did, changed one of them again and then went back to a savepoint, SQLite
# before 3.50 (seen in 3.40 to 3.48) commits frames without a checksum: all is well until
# the process is killed, and then every commit from there on is lost. No transaction that
# goes back to savepoints comes near 256 MiB. No multiple of 256, which SQLite takes for OFF.
CACHE_SPILL_PAGES = 8191

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that waits for its turn before it begins a transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_turn = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Return a connection; a file that is still empty is laid out first."""
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            connection.executescript(NEW_FILE)
        connection.execute(f"PRAGMA cache_spill = {CACHE_SPILL_PAGES}")
        return connection

    def content_cursor(self) -> CursorWrapper:
        """Return a cursor for long bytes, which this driver passes on as they are."""
        return self.cursor()

    def release(self) -> None:
        """Do nothing: a thread's own connection takes nothing from others."""

    def _start_transaction_under_autocommit(self) -> None:
        # In vain after as long as SQLite itself would wait: then it shall decide.
        wait_s = self.settings_dict["OPTIONS"].get("timeout", 5)
        self._has_turn = _turns[str(self.settings_dict["NAME"])].acquire(timeout=wait_s)
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # the stubs leave it out
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # as above
        try:
            self._bound_log()
        finally:
            self._end_turn()

    def _bound_log(self) -> None:
        """Bring the log into the file and empty it, if it has grown too long.

        Readers are waited for only briefly, as all writers wait meanwhile; where one
        stays, the next try is when the log has grown by half the limit more.
        """
        name = str(self.settings_dict["NAME"])
        try:
            size = os.stat(f"{name}-wal").st_size
        except OSError:  # In memory, or not there yet.
            return
        if size < _next_check.get(name, LOG_LIMIT) or self.connection is None:
            return
        _next_check[name] = LOG_LIMIT if self.empty_log() else size + LOG_LIMIT // 2

    def empty_log(self) -> bool:
        """Bring the log into the file and empty it; tell whether no reader needed it.

        Needs a connection outside a transaction. Waits for readers LOG_WAIT_MS at most.
        """
        usual_ms = int(self.settings_dict["OPTIONS"].get("timeout", 5) * 1000)
        execute = self.connection.execute
        try:
            execute(f"PRAGMA busy_timeout = {LOG_WAIT_MS}")
            (busy, *_) = execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False  # What was committed stays so.
        finally:
            execute(f"PRAGMA busy_timeout = {usual_ms}")
        return not busy

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # as above
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # as above
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turns[str(self.settings_dict["NAME"])].release()
