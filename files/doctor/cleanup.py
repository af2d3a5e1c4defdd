"""Takes the probe out of this machine's database, if it is in it."""

from __future__ import annotations

from django.db import DatabaseError, Error

from files.actors import SYSTEM
from files.doctor.database import has_database
from files.exceptions import FilesError
from files.models import File
from files.services.deletion import purge_file


def removed_for_good(file_id: int, hash: str) -> bool:
    """Remove file `file_id` if it has this hash, live or in the trash; tell whether it had."""
    if not has_database():
        return False
    try:
        if not File.everything.filter(pk=file_id, hash=hash).exists():
            return False
        purge_file(actor=SYSTEM, file_id=file_id)
    except (Error, DatabaseError, FilesError):
        # Another server's file, then, or one that somebody has just deleted.
        return False
    return True
