"""Has a copy go on counting ids where its source is, so that no id is ever given twice.

Entry point: carry_on. The number of a file that is gone stays in links, events and logs; the
databases would go on from the highest that is left (PostgreSQL from 1).
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.management.color import no_style
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Max, Model


def carry_on(
    source: BaseDatabaseWrapper, target: BaseDatabaseWrapper, models: Iterable[type[Model]]
) -> None:
    """Let the target's next id of each model be one that the source never gave."""
    for model in models:
        # AutoField's metaclass knows the big ones, too.
        if isinstance(model._meta.pk, AutoField):
            _set_last(target, model, max(_last(source, model), _highest(target, model)))


def _highest(database: BaseDatabaseWrapper, model: type[Model]) -> int:
    rows = model._base_manager.using(database.alias)
    return int(rows.aggregate(highest=Max("pk"))["highest"] or 0)


def _last(database: BaseDatabaseWrapper, model: type[Model]) -> int:
    """Return the last id that was given, as far as the database remembers."""
    table = model._meta.db_table
    with database.cursor() as cursor:
        if database.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        elif database.vendor == "mysql":
            # MySQL 8 may tell a number of yesterday: then the highest that is there counts.
            cursor.execute(
                "SELECT auto_increment - 1 FROM information_schema.tables"
                " WHERE table_schema = DATABASE() AND table_name = %s",
                [table],
            )
        else:
            cursor.execute(f"SELECT last_value FROM {_sequence(database, model)}")  # noqa: S608
        row = cursor.fetchone()
    return int(row[0] or 0) if row else 0


def _set_last(database: BaseDatabaseWrapper, model: type[Model], last: int) -> None:
    table = model._meta.db_table
    with database.cursor() as cursor:
        if database.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
        elif database.vendor == "mysql":
            name = database.ops.quote_name(table)
            cursor.execute(f"ALTER TABLE {name} AUTO_INCREMENT = {last + 1:d}")
        elif last:
            cursor.execute("SELECT setval(%s::regclass, %s)", [_sequence(database, model), last])
        else:
            for statement in database.ops.sequence_reset_sql(no_style(), [model]):
                cursor.execute(statement)


def _sequence(database: BaseDatabaseWrapper, model: type[Model]) -> str:
    """Return PostgreSQL's sequence of the model's ids, quoted where it must be."""
    with database.cursor() as cursor:
        name = database.ops.quote_name(model._meta.db_table)
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [name, model._meta.pk.column])
        return str(cursor.fetchone()[0])
