from __future__ import annotations

import zlib

import pytest

from files.exceptions import CorruptContentError
from files.models import Chunk, File
from files.storage import read, verify
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


def stored(data: bytes) -> File:
    return File.objects.select_related("content").get(pk=make_file(data).pk)


@pytest.mark.parametrize("size", [0, 100, 100_000, 3 << 20])
def test_what_was_uploaded_is_verified(size):
    verify(stored(noise(size)))


def test_a_flipped_bit_in_the_row_is_found():
    file = stored(b"small")
    File.objects.filter(pk=file.pk).update(data=b"smalm")
    changed = File.objects.get(pk=file.pk)
    for look in (verify, lambda file: list(read(file, 0, 1))):
        with pytest.raises(CorruptContentError, match=f"file {file.pk}"):
            look(changed)


def test_other_bytes_with_a_right_checksum_are_found():
    file = stored(noise(100_000))
    data = noise(100_000, seed=1)
    Chunk.objects.update(data=data, checksum=zlib.crc32(data))
    assert b"".join(read(file, 0, file.size)) == data
    with pytest.raises(CorruptContentError, match="not those that were uploaded"):
        verify(file)
