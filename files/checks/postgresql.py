"""Checks of a PostgreSQL server and of the database on it."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error
from django.db.backends.base.base import BaseDatabaseWrapper

from files.checks.connections import connection_messages

# What the last connections are kept for; the limits are -1 where there is none.
_FACTS = """
    SELECT current_setting('server_encoding'), current_database(),
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int,
        datconnlimit, rolconnlimit
    FROM pg_database, pg_roles
    WHERE datname = current_database() AND rolname = current_user
"""


def postgresql_messages(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """Return what is wrong with the server's settings and with the database's encoding."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS)
        encoding, name, total, of_database, of_role = cursor.fetchone()
    limits = {
        "max_connections": total,
        f"CONNECTION LIMIT of the database {name}": of_database,
        "CONNECTION LIMIT of the role": of_role,
    }
    limit, allowed = min(
        ((limit, allowed) for limit, allowed in limits.items() if allowed >= 0),
        key=lambda pair: pair[1],
    )
    return [*_encoding(encoding, name), *connection_messages(allowed, limit=limit)]


def _encoding(encoding: str, name: str) -> Iterator[CheckMessage]:
    if encoding != "UTF8":
        yield Error(
            f"The encoding of the database {name} is {encoding}: not all names can be stored.",
            hint=(
                "An encoding cannot be changed. Make another database, CREATE DATABASE … "
                "ENCODING 'UTF8' TEMPLATE template0, and move the files there."
            ),
            id="files.E018",
        )
