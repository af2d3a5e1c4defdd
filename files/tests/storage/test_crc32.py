from __future__ import annotations

import zlib

import pytest

from files import storage
from files.exceptions import CorruptContentError
from files.models import MAX_CHUNK_SIZE, Chunk, File
from files.storage import chunk_rows
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

SIZES = [0, 1, 2048, 2049, MAX_CHUNK_SIZE, MAX_CHUNK_SIZE + 1, (5 << 20) + 7]


def stored(data: bytes) -> File:
    return File.objects.select_related("content").get(pk=make_file(data).pk)


@pytest.mark.parametrize("size", SIZES)
def test_it_is_that_of_the_bytes(size):
    data = noise(size)
    assert storage.crc32(stored(data)) == zlib.crc32(data)


def test_chunks_are_gone_through_in_pages(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(chunk_rows, "ROWS_PER_PAGE", 2)
    data = noise(4 * MAX_CHUNK_SIZE + 1)
    file = stored(data)
    with django_assert_num_queries(4) as queries:
        assert storage.crc32(file) == zlib.crc32(data)
    assert not any('"data"' in query["sql"] for query in queries)


@pytest.mark.parametrize("missing", [0, MAX_CHUNK_SIZE, 2 * MAX_CHUNK_SIZE])
def test_a_missing_chunk_is_told(missing):
    file = stored(noise(3 * MAX_CHUNK_SIZE))
    file.content.chunks.filter(offset=missing).delete()
    with pytest.raises(CorruptContentError, match=f"has no byte {missing}"):
        storage.crc32(file)


@pytest.mark.parametrize("columns", [{"size": 0}, {"size": -1}, {"size": 7}, {"checksum": 1 << 40}])
def test_a_damaged_row_is_told(columns):
    file = stored(noise(3 * MAX_CHUNK_SIZE))
    Chunk.objects.filter(content=file.content, offset=MAX_CHUNK_SIZE).update(**columns)
    with pytest.raises(CorruptContentError):
        storage.crc32(file)


def test_damage_in_the_row_of_a_small_file_is_told():
    file = stored(b"small")
    File.objects.update(data=b"smalm")
    with pytest.raises(CorruptContentError):
        storage.crc32(File.objects.get(pk=file.pk))
