"""Makes the rows of one database those of another: what is missing, changed or gone.

Entry points: copied_models and RowCopier. Both sides are read in pages by primary key, and
nothing is taken for equal that was not compared. Memory: a page of each side.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import DataError, IntegrityError, connections, transaction
from django.db.models import BinaryField, Field, ForeignKey, Model, QuerySet, UniqueConstraint

from files.models import Chunk, Content, File, Upload

PAGE = 500
# Rows whose table is filled with the bytes, or says what is under way at a server.
LEFT_OUT = (Session, Upload, Content, Chunk)

Row = tuple[Any, ...]
Refused = Callable[[type[Model], Any, str], object]


@functools.cache
def copied_models() -> tuple[type[Model], ...]:
    """Return the model of each table that is copied row by row, after those that it points to."""
    waiting = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model not in LEFT_OUT
    ]
    ordered: list[type[Model]] = []
    while waiting:
        # Of tables that point at each other in a circle, any is the first.
        following = next((one for one in waiting if not parents(one) & {*waiting}), waiting[0])
        waiting.remove(following)
        ordered.append(following)
    return tuple(ordered)


def parents(model: type[Model]) -> set[type[Model]]:
    """Return the models that its foreign keys point to, itself left out."""
    return {key.related_model for key in foreign_keys(model)} - {model}


def foreign_keys(model: type[Model]) -> list[ForeignKey[Any, Any]]:
    """Return its foreign keys, those of bytes left out."""
    keys = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    return [key for key in keys if key.related_model is not Content]


class RowCopier:
    """The rows of one model on both sides; of files, all columns but the bytes."""

    def __init__(
        self,
        model: type[Model],
        source: str,
        target: str,
        *,
        on_refused: Refused = lambda model, pk, reason: None,
    ) -> None:
        self.model = model
        self.source = source
        self.target = target
        self.on_refused = on_refused
        self.fields: list[Field[Any, Any]] = [
            field
            for field in model._meta.concrete_fields
            if model is not File or not isinstance(field, BinaryField)
        ]
        # The key first, to be found by.
        self.fields.sort(key=lambda field: not field.primary_key)
        self.names = [field.attname for field in self.fields]

    def rows(self, alias: str, **found: Any) -> QuerySet[Any, Row]:
        """Return the rows of one side, by primary key."""
        rows = self.model._base_manager.using(alias).filter(**found).order_by("pk")
        return rows.values_list(*self.names)

    def remove_gone(self, *, dry_run: bool = False) -> int:
        """Remove what the source has no more, with all that hangs on it; return how many rows.

        A row whose unique columns are others now goes too: while they change, each of two
        rows could be in the other's way.
        """
        removed = 0
        names = ["pk", *identity(self.model)]
        rows = self.model._base_manager.order_by("pk").values_list(*names)
        for page in pages(rows.using(self.target)):
            theirs = rows.using(self.source).filter(pk__range=(page[0][0], page[-1][0]))
            gone = {row[0] for row in set(page) - set(theirs)}
            removed += len(gone)
            if gone and not dry_run:
                self.model._base_manager.using(self.target).filter(pk__in=gone).delete()
        return removed

    def differing(self) -> Iterator[tuple[list[Row], list[Row], list[Row]]]:
        """Yield, for each page of the source, its rows that are missing, changed and the same."""
        for page in pages(self.rows(self.source)):
            span = (page[0][0], page[-1][0])
            there = {row[0]: row for row in self.rows(self.target, pk__range=span)}
            missing = [row for row in page if row[0] not in there]
            present = [row for row in page if row[0] in there]
            changed = [row for row in present if row != there[row[0]]]
            same = [row for row in present if row == there[row[0]]]
            yield missing, changed, same

    def copy(self) -> int:
        """Bring what is missing or changed to the target; return how many rows that were."""
        written = 0
        for missing, changed, _ in self.differing():
            written += self.insert(self.rooted(missing)) + self.update(self.rooted(changed))
        return written

    def rooted(self, rows: list[Row]) -> list[Row]:
        """Leave out the rows that point to what the target has not got.

        That came to the source meanwhile, or is a file that is damaged there.
        """
        for key in foreign_keys(self.model) if rows else ():
            place = self.names.index(key.attname)
            column = key.target_field.name
            wanted = {row[place] for row in rows}
            found = key.related_model._base_manager.using(self.target)
            known = set(found.filter(**{f"{column}__in": wanted}).values_list(column, flat=True))
            rows = [row for row in rows if row[place] is None or row[place] in known]
        return rows

    def insert(self, rows: list[Row]) -> int:
        """Add the rows; one that the target refuses is told and left out."""
        return self._each(rows, self._insert)

    def update(self, rows: list[Row]) -> int:
        """Change the rows; one that the target refuses is told and left out."""
        return self._each(rows, self._update)

    def _each(self, rows: list[Row], write: Callable[[list[Row]], None]) -> int:
        """Write all in one transaction, or, where that is refused, each by itself."""
        if not rows:
            return 0
        try:
            with transaction.atomic(using=self.target):
                write(rows)
        except (IntegrityError, DataError) as error:
            if len(rows) == 1:
                self.on_refused(self.model, rows[0][0], " ".join(str(error).split()))
                return 0
            return sum(self._each([row], write) for row in rows)
        return len(rows)

    def _insert(self, rows: list[Row]) -> None:
        insert_rows(self.target, self.model, self.fields, rows)

    def _update(self, rows: list[Row]) -> None:
        found = self.model._base_manager.using(self.target)
        for pk, *values in rows:
            found.filter(pk=pk).update(**dict(zip(self.names[1:], values, strict=True)))


def insert_rows(
    alias: str, model: type[Model], fields: Sequence[Field[Any, Any]], rows: Sequence[Row]
) -> None:
    """Insert rows as they are: the ORM would set the dates of the last change to now."""
    database = connections[alias]
    name = database.ops.quote_name
    columns = ", ".join(name(field.column or "") for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    with database.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES ({marks})",  # noqa: S608
            [
                [
                    field.get_db_prep_save(value, database)
                    for field, value in zip(fields, row, strict=True)
                ]
                for row in rows
            ],
        )


def identity(model: type[Model]) -> list[str]:
    """Return the columns by which the model's rows must differ, and those of a file's bytes."""
    options = model._meta
    together: list[Sequence[str]] = [*options.unique_together]
    together += [one.fields for one in options.constraints if isinstance(one, UniqueConstraint)]
    names = {name for some in together for name in some}
    names |= {field.name for field in options.concrete_fields if field.unique}
    if model is File:
        names.add("content")
    return [
        field.attname
        for field in options.concrete_fields
        if field.name in names and not field.primary_key
    ]


def pages(rows: QuerySet[Any, Row]) -> Iterator[list[Row]]:
    """Yield pages of rows whose first column is the primary key."""
    last: Any = None
    while True:
        page = list((rows if last is None else rows.filter(pk__gt=last))[:PAGE])
        if page:
            yield page
            last = page[-1][0]
        if len(page) < PAGE:
            return
