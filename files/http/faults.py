"""What a request is answered when the database fails it, and what the operator reads of it."""

from __future__ import annotations

import logging

from django.db import Error
from django.http import HttpRequest

from files.exceptions import FilesError
from files.storage import refusal_of

logger = logging.getLogger(__name__)


def refusal_by_fault(request: HttpRequest, error: BaseException) -> FilesError | None:
    """Return what to tell of a database that is away, busy or full, and log why, on a line.

    None where the error is about something else. No traceback: while the database is away
    every request fails in the same way, and would fill the disk with the same words.
    """
    refusal = refusal_of(error)
    said = error.__cause__ if error is refusal else error
    if isinstance(said, Error):
        words = " ".join(str(said).split())
        request_id = getattr(request, "request_id", "without a number")
        logger.warning("Request %s failed at the database: %s", request_id, words)
    return refusal
