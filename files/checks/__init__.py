"""System checks: what would keep the server from working, said before it starts.

Importing this package registers them with Django.
"""

from files.checks.configuration import (
    check_access,
    check_data_directory,
    check_hosts,
    check_kept_hashes,
    check_secret,
)
from files.checks.database import check_database, database_messages

__all__ = [
    "check_access",
    "check_data_directory",
    "check_database",
    "check_hosts",
    "check_kept_hashes",
    "check_secret",
    "database_messages",
]
