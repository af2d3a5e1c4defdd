"""Reads the ids of many rows, be it a million, into 8 bytes each."""

from __future__ import annotations

from array import array
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

# Rows fetched at a time.
ROWS = 2000


def read_ids(ids: QuerySet[Any, int]) -> array[int]:
    """Return what a queryset of ids has; nowhere are all of its rows in memory.

    Of Django's cursors only MySQL's gathers them all first, and its `content_cursor` does not.
    """
    if connection.vendor != "mysql":
        return array("q", ids.iterator(chunk_size=ROWS))
    found = array("q")
    try:
        statement, parameters = ids.query.sql_with_params()
    except EmptyResultSet:
        return found
    with connection.content_cursor() as cursor:  # type: ignore[attr-defined]  # of `fileserver`
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(ROWS):
            found.extend(pk for (pk,) in rows)
    return found
