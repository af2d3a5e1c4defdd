from __future__ import annotations

import pytest
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import DuplicateFileError
from files.models import Content
from files.services.deletion import delete_file
from files.services.statistics import Amount, UnfinishedUploads, library_statistics
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


def test_an_empty_library():
    figures = library_statistics(space_id=DEFAULT_SPACE_ID, days=7)
    nothing = Amount(0, 0)
    assert (figures.files, figures.trash, figures.receiving) == (nothing, nothing, nothing)
    assert figures.uploads == UnfinishedUploads(0, 0, 0, None)
    assert [day.count for day in figures.days] == [0] * 7
    assert figures.days[-1].day == timezone.now().date()


def test_everything_is_counted():
    big = make_file(noise(5000), name="a.bin")
    make_file(b"one", name="b.txt")
    gone = make_file(b"three", name="c.txt")
    with pytest.raises(DuplicateFileError):
        make_file(b"one")
    delete_file(actor=SYSTEM, file_id=gone.pk)
    Content.objects.create(size=77)
    figures = library_statistics(space_id=DEFAULT_SPACE_ID)
    assert figures.files == Amount(2, 5003)
    assert {row.suffix: (row.count, row.bytes) for row in figures.types} == {
        "bin": (1, 5000),
        "txt": (1, 3),
    }
    assert figures.trash == Amount(1, 5)
    assert figures.receiving == Amount(1, 77)
    assert figures.duplicates_refused == 1
    assert (figures.days[-1].count, figures.days[-1].bytes) == (2, 5003)
    assert figures.largest[0] == big


def test_the_number_of_queries_does_not_grow(django_assert_max_num_queries):
    for number in range(20):
        make_file(name=f"a.{number}")
    with django_assert_max_num_queries(8):
        library_statistics(space_id=DEFAULT_SPACE_ID)
