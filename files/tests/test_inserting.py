"""Rows inserted without the ORM are those that it would have inserted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, models
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID
from files.models import Content, Event, File, Total, insert

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=123456)


def file(name: str = "a %s ‘ü’ \\ 'b'.txt") -> File:
    return File(
        space_id=DEFAULT_SPACE_ID,
        name=name,
        size=5,
        upload_date=NOW,
        mime_type="text/plain",
        hash="0" * 64,
        data=b"\\'\x00\xff%",
    )


ROWS: dict[str, Callable[[], models.Model]] = {
    "content": lambda: Content(size=1 << 40, keep_until=NOW, created_at=NOW),
    "event": lambda: Event(
        name="a.b", actor="x", details={"ü": [None, 1, "\\'\""]}, created_at=NOW
    ),
    "file": file,
    "total": lambda: Total(space_id=DEFAULT_SPACE_ID, day=NOW.date(), count=-1, bytes=-(1 << 40)),
}


def columns_of(row: models.Model) -> dict[str, object]:
    """Return what the database has of a row, but what differs between two."""
    values = type(row)._base_manager.values().get(pk=row.pk)
    return {name: value for name, value in values.items() if name not in ("id", "updated_at")}


@pytest.mark.parametrize("make", ROWS.values(), ids=ROWS.keys())
def test_row_is_the_one_that_save_writes(make):
    saved = make()
    saved.save(force_insert=True)
    columns = columns_of(saved)
    saved.delete()
    row = make()
    insert(row)
    assert columns_of(row) == columns
    assert type(row)._base_manager.get() == row


def test_row_can_be_changed_afterwards():
    row = file()
    insert(row)
    row.name = "other.txt"
    row.save()
    assert File.objects.get().name == "other.txt"


def test_row_that_is_there_is_refused():
    insert(file("a"))
    with pytest.raises(IntegrityError):
        insert(file("b"))
