"""Settings of a server that talks to MySQL and PostgreSQL by Django's own backends.

Only for benchmarks/databases.py, which measures what this project's backends are worth.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

from fileserver.settings import *  # noqa: F403
from fileserver.settings import DATABASES

_default = DATABASES["default"]
_default |= {
    "ENGINE": str(_default["ENGINE"]).replace("fileserver.", "django.db.backends."),
    # As Django's documentation has it for connections that persist; a pool needs neither.
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
}


def release(connection: BaseDatabaseWrapper) -> None:
    """Do nothing: a thread keeps its connection."""


# What files.storage asks of a backend.
BaseDatabaseWrapper.content_cursor = BaseDatabaseWrapper.cursor  # type: ignore[attr-defined]
BaseDatabaseWrapper.release = release  # type: ignore[attr-defined]
