"""What every home of content must do, whatever it is made of."""

from __future__ import annotations

import zlib

import pytest
from django.db import transaction

from files.exceptions import CorruptContentError, StorageBusyError
from files.models import MAX_CHUNK_SIZE, Chunk, Content
from files.storage import storage_of
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

SIZES = [1, MAX_CHUNK_SIZE - 1, MAX_CHUNK_SIZE, MAX_CHUNK_SIZE + 1, (5 << 20) - 1, (9 << 20) + 7]


@pytest.fixture(params=Content.Home.values)
def storage(request):
    return storage_of(request.param)


def write(storage, data: bytes, piece: int = 300_000) -> Content:
    writer = storage.open_writer()
    for start in range(0, len(data), piece):
        writer.append(data[start : start + piece])
    with transaction.atomic():
        writer.flush()
    return Content.objects.get(pk=writer.content.pk)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_written_is_read(storage, size):
    data = noise(size)
    content = write(storage, data)
    assert (content.size, content.state) == (size, Content.State.STORED)
    assert b"".join(storage.read(content, 0, size)) == data


@pytest.mark.parametrize("piece", [1 << 10, MAX_CHUNK_SIZE, 3 * MAX_CHUNK_SIZE + 5])
def test_pieces_of_any_size_become_chunks_of_one_size(storage, piece):
    data = noise(4 * MAX_CHUNK_SIZE + 11)
    content = write(storage, data, piece)
    sizes = content.chunks.order_by("offset").values_list("size", flat=True)
    assert list(sizes) == [MAX_CHUNK_SIZE] * 4 + [11]
    assert b"".join(storage.read(content, 0, len(data))) == data


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, 1),
        (0, 0),
        (MAX_CHUNK_SIZE - 1, MAX_CHUNK_SIZE + 1),
        (MAX_CHUNK_SIZE, 2 * MAX_CHUNK_SIZE),
        (5, 3 * MAX_CHUNK_SIZE),
        (3 * MAX_CHUNK_SIZE + 6, 3 * MAX_CHUNK_SIZE + 7),
    ],
)
def test_any_range_can_be_read(storage, start, stop):
    data = noise(3 * MAX_CHUNK_SIZE + 7)
    blocks = list(storage.read(write(storage, data), start, stop))
    assert b"".join(blocks) == data[start:stop]
    assert all(len(block) <= MAX_CHUNK_SIZE for block in blocks)


def test_a_range_reads_only_the_chunks_it_touches(storage, django_assert_num_queries):
    content = write(storage, noise(6 * MAX_CHUNK_SIZE))
    with django_assert_num_queries(1):
        list(storage.read(content, 5 * MAX_CHUNK_SIZE + 1, 5 * MAX_CHUNK_SIZE + 9))


def test_uneven_chunks_are_read(storage):
    content = Content.objects.create(size=10, state=Content.State.STORED)
    data = b"0123456789"
    for offset, size in [(0, 3), (3, 1), (4, 6)]:
        add_chunk(content, offset, data[offset : offset + size])
    assert b"".join(storage.read(content, 2, 9)) == data[2:9]


def add_chunk(content: Content, offset: int, data: bytes) -> None:
    Chunk.objects.create(
        content=content, offset=offset, size=len(data), checksum=zlib.crc32(data), data=data
    )


def test_a_flipped_bit_is_told(storage):
    content = write(storage, noise(3 * MAX_CHUNK_SIZE))
    chunk = content.chunks.get(offset=MAX_CHUNK_SIZE)
    data = bytearray(chunk.data)
    data[4711] ^= 4
    Chunk.objects.filter(pk=chunk.pk).update(data=bytes(data))
    blocks = storage.read(content, 0, content.size)
    assert len(next(blocks)) == MAX_CHUNK_SIZE
    with pytest.raises(CorruptContentError, match=f"from byte {MAX_CHUNK_SIZE}"):
        next(blocks)


@pytest.mark.parametrize("missing", [0, MAX_CHUNK_SIZE, 2 * MAX_CHUNK_SIZE])
def test_a_missing_chunk_is_told(storage, missing):
    content = write(storage, noise(3 * MAX_CHUNK_SIZE))
    content.chunks.filter(offset=missing).delete()
    with pytest.raises(CorruptContentError):
        list(storage.read(content, 0, content.size))


def test_nothing_is_owned_before_flush(storage):
    writer = storage.open_writer()
    writer.append(noise(20 << 20))
    assert Content.objects.get().state == Content.State.RECEIVING


def test_flush_of_what_was_given_up_fails(storage):
    writer = storage.open_writer()
    writer.append(noise(20 << 20))
    Content.objects.update(state=Content.State.RELEASED)
    with pytest.raises(StorageBusyError), transaction.atomic():
        writer.flush()


def test_removal_leaves_nothing(storage):
    data = noise((40 << 20) + 1)
    content = write(storage, data)
    other = write(storage, b"stays")
    assert storage.remove(content) == len(data)
    assert Content.objects.get() == other
    assert b"".join(storage.read(other, 0, 5)) == b"stays"


def test_removal_goes_on_where_it_was_killed(storage):
    content = write(storage, noise(3 * MAX_CHUNK_SIZE))
    content.chunks.filter(offset=0).delete()
    assert storage.remove(content) == 2 * MAX_CHUNK_SIZE
    assert not Content.objects.exists()
