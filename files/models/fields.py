from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import lookups
from django.db.models.sql.compiler import SQLCompiler

# MySQL's usual collations take "A" for "a"; PostgreSQL's follow the locale.
_BYTEWISE = {
    "mysql": "{type} CHARACTER SET {charset} COLLATE {charset}_bin",
    "postgresql": '{type} COLLATE "C"',
    "sqlite": "{type}",
}


if TYPE_CHECKING:
    CharField = models.CharField[str, str]
    Exact = lookups.Exact[Any]
else:
    CharField = models.CharField
    Exact = lookups.Exact


class BytewiseCharField(CharField):
    """A CharField that compares and sorts by bytes on every database.

    `ascii_only` stores one byte a character on MySQL (hashes, types).
    """

    def __init__(self, *args: Any, ascii_only: bool = False, **kwargs: Any) -> None:
        self.ascii_only = ascii_only
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.ascii_only:
            kwargs["ascii_only"] = True
        return name, path, args, kwargs

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        column = super().db_type(connection)
        charset = "ascii" if self.ascii_only else "utf8mb4"
        return _BYTEWISE.get(connection.vendor, "{type}").format(type=column, charset=charset)


@BytewiseCharField.register_lookup
class BytewiseExact(Exact):
    """Finds nothing where only ASCII can be and more is asked for: MySQL would call it an error."""

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        is_text = isinstance(self.rhs, str) and not self.rhs.isascii()
        if is_text and self.lhs.output_field.ascii_only:
            raise EmptyResultSet
        return super().as_sql(compiler, connection)


@BytewiseCharField.register_lookup
class BytewiseIContains(lookups.IContains):
    """Finds a part of a text in any case, which a bytewise comparison alone does not."""

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Sequence[Any]]:
        """Compare both sides in lower case."""
        text, text_params = self.process_lhs(compiler, connection)
        part, part_params = self.process_rhs(compiler, connection)
        return f"LOWER({text}) LIKE LOWER({part})", [*text_params, *part_params]

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Sequence[Any]]:
        """Compare as the database's own language does: in "C", ï has no upper case."""
        text, text_params = compiler.compile(self.lhs)
        part, part_params = self.process_rhs(compiler, connection)
        sql = f'UPPER({text} COLLATE "default") LIKE UPPER({part})'
        return sql, [*text_params, *part_params]
