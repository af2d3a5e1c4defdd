from __future__ import annotations

import pytest

from files import storage
from files.models import Chunk, Content, File
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


def contents() -> list[Content]:
    return list(Content.objects.order_by("pk"))


def test_all_are_read_with_one_query(django_assert_num_queries):
    data = [noise(size, size) for size in (2049, 5000, (1 << 20) + 7)]
    for one in data:
        make_file(one)
    wanted = contents()
    with django_assert_num_queries(1):
        found = storage.read_short(wanted)
    assert [found[content.pk] for content in wanted] == data


@pytest.mark.parametrize(
    "columns", [{"data": b"other"}, {"checksum": 1}, {"offset": 1}, {"size": 5}, None]
)
def test_what_is_damaged_is_left_out(columns):
    files = [make_file(noise(5000, number)) for number in range(3)]
    chunk = Chunk.objects.filter(content_id=File.objects.get(pk=files[1].pk).content_id or 0)
    if columns:
        chunk.update(**columns)
    else:
        chunk.delete()
    first, _, third = contents()
    assert storage.read_short(contents()) == {
        first.pk: noise(5000, 0),
        third.pk: noise(5000, 2),
    }


def test_a_hole_between_chunks_is_no_file():
    make_file(noise(3 << 20))
    Chunk.objects.filter(offset=1 << 20).delete()
    assert storage.read_short(contents()) == {}


def test_nothing_of_nothing():
    assert storage.read_short([]) == {}
