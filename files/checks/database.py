"""Checks of the database's server: whether content can be kept there as it should be.

Entry points: check_database, which Django runs for commands that name their databases
(`migrate`, `check --database default`, `serve`), and database_messages. Three short queries;
SQLite is asked nothing. A server that is away or too old raises the driver's error, as it does
in Django's own checks; manage.py tells it in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from files.checks.columns import column_messages
from files.checks.mysql import mysql_messages
from files.checks.postgresql import postgresql_messages

Check = Callable[[BaseDatabaseWrapper], list[CheckMessage]]

_CHECKS: dict[str, tuple[Check, ...]] = {
    "mysql": (mysql_messages, column_messages),
    "postgresql": (postgresql_messages, column_messages),
}


@register(Tags.database)
def check_database(databases: Sequence[str] | None = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """Look at the servers of the databases that a command is about to use."""
    return [
        message for alias in databases or () for message in database_messages(connections[alias])
    ]


def database_messages(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """Return what is wrong with the server of a database, as a connection to it sees it."""
    checks = _CHECKS.get(connection.vendor, ())
    return [message for check in checks for message in check(connection)]
