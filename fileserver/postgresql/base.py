"""Django's PostgreSQL backend with pooled connections, and bytes sent as they are.

Django writes parameters into the statement, bytes as hexadecimal digits, and reads them as
digits too. `content_cursor` sends and reads them in binary form: 5 times as fast in writing
and 3 times in reading (docs/architecture.md).
"""

from __future__ import annotations

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.pq import TransactionStatus

from fileserver.pooling import PooledWrapper


class DatabaseWrapper(PooledWrapper, base.DatabaseWrapper):
    """A pooled connection."""

    def content_cursor(self) -> CursorWrapper:
        """Return a cursor that is fast with long bytes both ways."""
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = psycopg.Cursor(self.connection)
            cursor.format = psycopg.pq.Format.BINARY
            wrapped: CursorWrapper = self._prepare_cursor(cursor)  # type: ignore[attr-defined]  # the stubs leave it out
            return wrapped

    def _is_at_rest(self) -> bool:
        raw = self.connection
        return not raw.closed and raw.info.transaction_status == TransactionStatus.IDLE
