"""What every home of content must do, whatever it is made of and whatever the database is."""

from __future__ import annotations

import zlib
from contextlib import suppress

import pytest
from django.db import transaction

from files.exceptions import CorruptContentError, StorageBusyError
from files.models import INLINE_SIZE, MAX_CHUNK_SIZE, Content
from files.storage import Damage, storage_of
from files.storage.database import BATCH_BYTES
from files.tests.samples import noise
from files.tests.storage.conftest import Home, commit
from files.tests.storage.harm import HARMS

pytestmark = pytest.mark.django_db

CHUNK = MAX_CHUNK_SIZE
# Where something about how bytes are kept changes.
BOUNDARIES = (INLINE_SIZE, CHUNK, 5 << 20, BATCH_BYTES)
SIZES = (0, 1, *(edge + step for edge in BOUNDARIES for step in (-1, 0, 1)))
LONG = (3 * CHUNK) + 7
TWO_BATCHES = 2 * BATCH_BYTES + 5


class RolledBackError(Exception):
    """Ends a transaction."""


def ranges_of(size: int) -> list[tuple[int, int]]:
    """Return ranges on both sides of each boundary, across it, and at both ends."""
    inner = [edge for edge in (INLINE_SIZE, CHUNK, 2 * CHUNK, 5 << 20) if 0 < edge < size]
    found = [(0, 0), (size, size), (0, min(size, 1)), (max(size - 1, 0), size), (0, size)]
    for edge in inner:
        found += [(edge - 1, edge), (edge, edge + 1), (edge - 1, edge + 1), (edge, edge)]
    return found


def damages(home: Home, content: Content) -> list[Damage]:
    return [part for part in home.storage.inspect(content) if isinstance(part, Damage)]


def test_every_home_is_tried():
    assert set(HARMS) == set(Content.Home.values)
    assert [storage_of(home) for home in Content.Home.values]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_written_is_read(home, size):
    data = noise(size, seed=size)
    content = home.write(data)
    assert (content.size, content.state, content.keep_until) == (size, "stored", None)
    assert home.read(content) == data
    for start, stop in ranges_of(size):
        blocks = list(home.storage.read(content, start, stop))
        assert b"".join(blocks) == data[start:stop], (start, stop)
        assert all(0 < len(block) <= CHUNK for block in blocks)
    assert home.storage.crc32(content) == zlib.crc32(data)
    assert b"".join(home.storage.inspect(content)) == data
    assert home.storage.remove(content) == size
    assert not Content.objects.exists()
    assert home.harm.count_pieces() == 0


@pytest.mark.parametrize("piece", [1, 777, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_pieces_may_have_any_size(home, piece):
    data = noise(5_000 if piece == 1 else LONG, seed=piece)
    assert home.read(home.write(data, piece)) == data


def test_every_byte_value_survives(home):
    # Quotes, backslashes, NUL and what is no UTF-8 are what a statement might stumble over.
    pairs = bytes(
        value for first in range(256) for second in range(256) for value in (first, second)
    )
    words = b"'\\\0\n\r\x1a\"%s%%?:x$1'';--\\'\\\\" * 999
    for data in (pairs, words, b"\0" * LONG, b"'" * LONG, b"\\" * LONG, b"\xff" * LONG):
        content = home.write(data)
        assert home.read(content) == data
        assert home.storage.read_short([content]).get(content.pk, data) == data


def test_readers_do_not_disturb_each_other(home):
    data, other_data = noise(LONG), noise(LONG, seed=1)
    content, other = home.write(data), home.write(other_data)
    readers = [
        home.storage.read(content, 0, LONG),
        home.storage.read(other, 0, LONG),
        home.storage.read(Content.objects.get(pk=content.pk), 5, LONG),
    ]
    blocks = list(zip(*readers, strict=True))
    first, second, third = (b"".join(column) for column in zip(*blocks, strict=True))
    assert (first, second, third) == (data, other_data, data[5:])


def test_a_reader_may_stop_early(home):
    content = home.write(noise(LONG))
    blocks = home.storage.read(content, 0, LONG)
    next(blocks)
    del blocks
    assert home.storage.remove(content) == LONG


def test_writers_do_not_disturb_each_other(home):
    samples = [noise(TWO_BATCHES, seed=seed) for seed in range(2)]
    writers = [home.storage.open_writer() for _ in samples]
    for start in range(0, TWO_BATCHES, 1_234_567):
        for writer, data in zip(writers, samples, strict=True):
            writer.append(data[start : start + 1_234_567])
    contents = [commit(writer) for writer in writers]
    assert [home.read(content) for content in contents] == samples


def test_short_ones_are_read_together(home):
    samples = [noise(size, seed=size) for size in (1, INLINE_SIZE + 1, 99_999, CHUNK + 1)]
    contents = [home.write(data) for data in samples]
    found = home.storage.read_short(contents)
    for content, data in zip(contents, samples, strict=True):
        assert found.get(content.pk, data) == data


@pytest.mark.parametrize("position", [0, CHUNK - 1, CHUNK, LONG - 1])
def test_a_flipped_bit_is_told(home, position):
    data = noise(LONG)
    content = home.write(data)
    home.harm.flip(content, position)
    seen = b""
    with pytest.raises(CorruptContentError, match=f"content {content.pk}|Content {content.pk}"):
        for block in home.storage.read(content, 0, LONG):
            seen += block
    assert data.startswith(seen)
    assert len(seen) <= position
    (found,) = damages(home, content)
    assert found.kind is Damage.Kind.CHECKSUM
    assert found.start <= position < found.stop
    assert content.pk not in home.storage.read_short([content])


@pytest.mark.parametrize("position", [0, CHUNK, LONG - 1])
def test_lost_bytes_are_told(home, position):
    content = home.write(noise(LONG))
    home.harm.lose(content, position)
    for look in (home.read, home.storage.crc32):
        with pytest.raises(CorruptContentError):
            look(content)
    with pytest.raises(CorruptContentError):
        home.read(content, position, position + 1)
    (found,) = damages(home, content)
    assert found.kind is Damage.Kind.MISSING
    assert found.start <= position < found.stop
    assert content.pk not in home.storage.read_short([content])


def test_surplus_bytes_are_told(home):
    content = home.write(noise(LONG))
    home.harm.lengthen(content, b"more")
    assert damages(home, content) == [Damage(LONG, LONG + 4, Damage.Kind.SURPLUS)]
    with pytest.raises(CorruptContentError):
        home.storage.crc32(content)
    assert home.storage.remove(content) == LONG + 4


def test_bytes_that_are_there_twice_are_told(home):
    content = home.write(noise(LONG))
    home.harm.double(content, CHUNK + 9)
    assert [one.kind for one in damages(home, content)][:1] == [Damage.Kind.OVERLAP]
    with pytest.raises(CorruptContentError):
        home.storage.crc32(content)


def test_damage_of_one_leaves_others_whole(home):
    data = noise(LONG)
    content, other = home.write(data), home.write(data)
    home.harm.flip(content, 0)
    home.harm.lose(content, LONG - 1)
    assert home.read(other) == data
    assert damages(home, other) == []


def test_nothing_is_owned_before_flush(home):
    writer = home.storage.open_writer()
    writer.append(noise(TWO_BATCHES))
    assert not Content.objects.filter(state=Content.State.STORED).exists()


@pytest.mark.parametrize("size", [1, INLINE_SIZE + 1, CHUNK, TWO_BATCHES])
def test_of_a_flush_that_is_rolled_back_nothing_is_owned(home, size):
    writer = home.storage.open_writer()
    writer.append(noise(size))
    with suppress(RolledBackError), transaction.atomic():
        writer.flush()
        raise RolledBackError
    assert not Content.objects.filter(state=Content.State.STORED).exists()
    other = home.write(b"other")
    writer.discard()
    # The id of a rolled back row may be the next one's.
    assert home.read(Content.objects.get(pk=other.pk, state=Content.State.STORED)) == b"other"


def test_flush_of_what_was_given_up_fails(home):
    writer = home.storage.open_writer()
    writer.append(noise(TWO_BATCHES))
    Content.objects.release(until=Content.grace_end())
    with pytest.raises(StorageBusyError), transaction.atomic():
        writer.flush()


def test_what_is_released_can_be_read_for_the_grace_time(home):
    data = noise(LONG)
    content = home.write(data)
    blocks = home.storage.read(content, 0, LONG)
    first = next(blocks)
    Content.objects.filter(pk=content.pk).release(until=Content.grace_end())
    assert first + b"".join(blocks) == data
    assert home.read(Content.objects.get(pk=content.pk)) == data


def test_removal_leaves_nothing(home):
    data = noise(40 * CHUNK + 1)
    content = home.write(data)
    stays = home.write(b"stays")
    before = home.harm.count_pieces()
    assert home.storage.remove(content) == len(data)
    assert 0 < home.harm.count_pieces() < before
    assert Content.objects.get() == stays
    assert home.read(stays) == b"stays"


def test_removal_goes_on_where_it_was_killed(home):
    content = home.write(noise(3 * CHUNK))
    home.harm.lose(content, 0)
    assert home.storage.remove(content) == 2 * CHUNK
    assert not Content.objects.exists()


@pytest.mark.parametrize("read_before", [0, 1, 3])
def test_what_is_removed_is_never_read_short(home, read_before):
    data = noise(LONG)
    content = home.write(data)
    # A reader keeps what it looked up before.
    reader = Content.objects.get(pk=content.pk)
    blocks = home.storage.read(reader, 0, LONG)
    seen = b"".join(next(blocks) for _ in range(read_before))
    home.storage.remove(content)
    with pytest.raises(CorruptContentError):
        for block in blocks:
            seen += block
    assert data.startswith(seen)
    with pytest.raises(CorruptContentError):
        home.storage.crc32(reader)
    assert home.storage.read_short([reader]) == {}
