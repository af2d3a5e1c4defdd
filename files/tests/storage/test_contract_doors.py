"""Every size around a boundary, as clients send it and get it back."""

from __future__ import annotations

import hashlib
import zlib

import pytest

from files import storage
from files.actors import SYSTEM
from files.models import INLINE_SIZE, MAX_CHUNK_SIZE, Content, File
from files.services.deletion import purge_file
from files.storage.database import BATCH_BYTES
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

BOUNDARIES = (INLINE_SIZE, MAX_CHUNK_SIZE, 5 << 20, BATCH_BYTES)
SIZES = (0, 1, *(edge + step for edge in BOUNDARIES for step in (-1, 0, 1)))
CHUNK_END = MAX_CHUNK_SIZE + 1


def stored(data: bytes) -> File:
    pk = make_file(data, piece=300_007).pk
    return File.objects.defer(None).select_related("content").get(pk=pk)


@pytest.mark.parametrize("size", SIZES)
def test_what_a_service_stores_is_read(size):
    data = noise(size, seed=size)
    file = stored(data)
    assert (file.size, file.hash) == (size, hashlib.sha256(data).hexdigest())
    assert (file.content is None) is (size <= INLINE_SIZE)
    assert bytes(file.data or b"") == (data if size <= INLINE_SIZE else b"")
    storage.verify(file)
    assert storage.crc32(file) == zlib.crc32(data)
    for start, stop in [(0, size), (0, 0), (size // 2, size), (max(size - 1, 0), size)]:
        assert b"".join(storage.read(file, start, stop)) == data[start:stop]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_uploaded_is_downloaded(client, size):
    data = noise(size, seed=size)
    answer = client.put("/upload/sample.bin", data, content_type="application/octet-stream")
    assert answer.status_code == 200, answer.content
    path = f"/download/{answer.json()['id']}"
    assert client.get(path).getvalue() == data
    for start, stop in [(0, 1), (size // 2, size), (size - 1, size), (INLINE_SIZE, CHUNK_END)]:
        if 0 <= start < min(stop, size):
            part = client.get(path, headers={"Range": f"bytes={start}-{stop - 1}"})
            assert part.status_code == 206
            assert part.getvalue() == data[start:stop]
    again = client.put("/upload/again.bin", data, content_type="application/octet-stream")
    assert again.status_code == 409


@pytest.mark.parametrize("size", [0, INLINE_SIZE, INLINE_SIZE + 1, BATCH_BYTES + 1])
def test_what_is_deleted_for_good_gives_its_bytes_up(client, size):
    file = stored(noise(size))
    purge_file(actor=SYSTEM, file_id=file.pk)
    assert client.get(f"/download/{file.pk}").status_code == 404
    states = list(Content.objects.values_list("state", flat=True))
    assert states == ([] if size <= INLINE_SIZE else [Content.State.RELEASED])
