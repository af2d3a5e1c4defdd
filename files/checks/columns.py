"""Whether the columns of names and hashes compare by bytes, as the models ask.

A dump that was restored into tables of another collation, or a tool that copied them,
may have changed it: "a.txt" and "A.txt" would be one name then.
"""

from __future__ import annotations

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db.backends.base.base import BaseDatabaseWrapper

_COLLATIONS = {
    "mysql": (
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
    ),
    # A column without one of its own has the database's.
    "postgresql": (
        "SELECT table_name, column_name, COALESCE(collation_name,"
        " (SELECT datcollate FROM pg_database WHERE datname = current_database()))"
        " FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND data_type LIKE 'char%%'"
    ),
}
# Those of PostgreSQL that compare by bytes.
_BYTEWISE = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic"})
_CHANGES = {
    "mysql": "ALTER TABLE `{table}` MODIFY `{column}` {type}{null};",
    "postgresql": 'ALTER TABLE "{table}" ALTER "{column}" TYPE {type};',
}


def column_messages(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """Return an error if columns compare otherwise; tables that are not there yet are fine."""
    with connection.cursor() as cursor:
        cursor.execute(_COLLATIONS[connection.vendor])
        found = {(str(table), str(column)): str(name) for table, column, name in cursor.fetchall()}
    wrong = {
        place: change
        for place, change in _changes(connection).items()
        if place in found and not _is_bytewise(found[place], connection.vendor)
    }
    if not wrong:
        return []
    names = ", ".join(f"{table}.{column} ({found[table, column]})" for table, column in wrong)
    return [
        Error(
            f"Names and hashes must compare by bytes, and these columns do not: {names}. "
            "Two different names may be taken for one.",
            hint="Run: " + " ".join(wrong.values()),
            id="files.E017",
        )
    ]


def _changes(connection: BaseDatabaseWrapper) -> dict[tuple[str, str], str]:
    """Return for each table and column with a collation the statement that sets it."""
    change = _CHANGES[connection.vendor]
    found = {}
    for model in apps.get_app_config("files").get_models():
        for field in model._meta.local_fields:
            kind = field.db_type(connection) or ""
            if " COLLATE " in kind:
                table, column = model._meta.db_table, str(field.column)
                null = "" if field.null else " NOT NULL"
                found[table, column] = change.format(
                    table=table, column=column, type=kind, null=null
                )
    return found


def _is_bytewise(collation: str, vendor: str) -> bool:
    if vendor == "postgresql":
        return collation in _BYTEWISE
    # ascii_bin, utf8mb4_bin, utf8mb4_0900_bin …; other charsets cannot keep all names.
    return collation.startswith(("ascii_", "utf8mb4_")) and collation.endswith("_bin")
