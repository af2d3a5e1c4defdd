"""How the database keeps bytes: as chunk rows."""

from __future__ import annotations

import zlib

import pytest

from files.models import MAX_CHUNK_SIZE, Content
from files.storage import storage_of
from files.tests.samples import noise
from files.tests.storage.conftest import Home
from files.tests.storage.harm import ChunkRowsHarm

pytestmark = pytest.mark.django_db

HOME = Home(storage_of(Content.Home.DATABASE), ChunkRowsHarm())


@pytest.mark.parametrize("piece", [1 << 10, MAX_CHUNK_SIZE, 3 * MAX_CHUNK_SIZE + 5])
def test_pieces_of_any_size_become_chunks_of_one_size(piece):
    content = HOME.write(noise(4 * MAX_CHUNK_SIZE + 11), piece)
    sizes = content.chunks.order_by("offset").values_list("size", flat=True)
    assert list(sizes) == [MAX_CHUNK_SIZE] * 4 + [11]


def test_a_range_reads_only_the_chunks_it_touches(django_assert_num_queries):
    content = HOME.write(noise(6 * MAX_CHUNK_SIZE))
    with django_assert_num_queries(1):
        HOME.read(content, 5 * MAX_CHUNK_SIZE + 1, 5 * MAX_CHUNK_SIZE + 9)


def test_uneven_chunks_are_read():
    content = Content.objects.create(size=10, state=Content.State.STORED)
    data = b"0123456789"
    for offset, size in [(0, 3), (3, 1), (4, 6)]:
        part = data[offset : offset + size]
        content.chunks.create(offset=offset, size=size, checksum=zlib.crc32(part), data=part)
    assert HOME.read(content, 2, 9) == data[2:9]
    assert HOME.storage.crc32(content) == zlib.crc32(data)
