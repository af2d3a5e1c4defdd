"""How many connections the server opens, and how many it is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar

from django.conf import settings
from django.core.checks import CheckMessage, Warning

# As many workers as `serve` starts on MySQL and PostgreSQL.
USUAL_WORKERS = 2
# Set by `serve`, which may be asked for others.
workers: ContextVar[int] = ContextVar("workers", default=USUAL_WORKERS)
# The sweeper, and a command or two beside the server.
OTHER_CONNECTIONS = 3


def connection_messages(allowed: int, *, limit: str) -> Iterator[CheckMessage]:
    """Warn if the server may run out of connections; `limit` is what sets `allowed`."""
    each = settings.FILESERVER_DATABASE_CONNECTIONS
    needed = workers.get() * each + OTHER_CONNECTIONS
    if needed > allowed:
        yield Warning(
            f"The server may open {needed} connections to the database "
            f"({workers.get()} workers with {each} each, and {OTHER_CONNECTIONS} for commands), "
            f"which allows {allowed} ({limit}).",
            hint=(
                f"Raise {limit}, or set FILESERVER_DATABASE_CONNECTIONS to "
                f"{max((allowed - OTHER_CONNECTIONS) // workers.get(), 1)}; requests wait for a "
                "free one."
            ),
            id="files.W010",
        )
