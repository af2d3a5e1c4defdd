"""Data that an older version stored is carried over, and back."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import Total
from files.services.deletion import delete_file
from files.services.statistics import Amount, library_statistics
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def migrate(*name: str) -> None:
    call_command("migrate", "files", *name, verbosity=0)


def test_totals_of_an_older_library_are_counted_by_day_and_home():
    make_file(b"one", name="a.txt")
    make_file(b"three", name="b.txt")
    make_file(b"x", name="c")
    delete_file(actor=SYSTEM, file_id=make_file(b"gone", name="d.txt").pk)
    before = library_statistics(space_id=DEFAULT_SPACE_ID)
    try:
        migrate("0002")
        migrate("0004")
    finally:
        migrate()
    after = library_statistics(space_id=DEFAULT_SPACE_ID)
    assert after.files == before.files == Amount(3, 9)
    assert (after.types, after.homes, after.trash) == (before.types, before.homes, before.trash)
    assert [day.count for day in after.days] == [day.count for day in before.days]
    # A row for each group, the day and the home.
    assert Total.objects.count() == 4
