"""Inserts single rows by SQL that is put together once a model.

Entry point: insert. The ORM makes a query of each row, which takes three times as long as the
database takes for it; an upload inserts four. Sends no signals.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, cast

from django.db import connection, models


class _Plan(NamedTuple):
    """What the INSERTs of all rows of a model have in common, on one kind of database."""

    fields: list[Any]
    # Of the fields whose values are written in another way than all others are (MySQL's bytes).
    special: frozenset[str]
    start: str
    end: str
    table: str
    key: str


def insert(row: models.Model) -> None:
    """Insert `row`, which gets its key from the database."""
    plan = _plan(type(row), connection.vendor)
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in plan.fields
    ]
    places = [
        field.get_placeholder(value, None, connection) if field.name in plan.special else "%s"
        for field, value in zip(plan.fields, values, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"{plan.start}{', '.join(places)}{plan.end}", values)
        if connection.vendor == "postgresql":
            (row.pk,) = cast(tuple[int], cursor.fetchone())
        else:
            row.pk = connection.ops.last_insert_id(cursor, plan.table, plan.key)
    row._state.adding = False
    row._state.db = connection.alias


@cache
def _plan(model: type[models.Model], vendor: str) -> _Plan:
    meta, quoted = model._meta, connection.ops.quote_name
    fields: list[Any] = [field for field in meta.local_concrete_fields if not field.primary_key]
    columns = ", ".join(quoted(field.column) for field in fields)
    key = str(meta.pk.column)
    return _Plan(
        fields,
        frozenset(field.name for field in fields if hasattr(field, "get_placeholder")),
        f"INSERT INTO {quoted(meta.db_table)} ({columns}) VALUES (",  # noqa: S608
        f") RETURNING {quoted(key)}" if vendor == "postgresql" else ")",
        meta.db_table,
        key,
    )
