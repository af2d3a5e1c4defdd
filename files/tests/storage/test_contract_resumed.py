"""The storage contract of writers that go on where another one paused."""

from __future__ import annotations

import hashlib
import random
from weakref import WeakSet

import pytest

from files.models import INLINE_SIZE, MAX_CHUNK_SIZE, Content
from files.sha256 import Sha256
from files.storage import database
from files.tests.samples import noise
from files.tests.storage.conftest import commit

pytestmark = pytest.mark.django_db

CHUNK = MAX_CHUNK_SIZE
SIZE = 5 * CHUNK + 3


def pause_at(home, data: bytes, cut: int) -> tuple[Content, bytes]:
    """Write the first `cut` bytes; return the content, and the state of the hash of them."""
    writer = home.storage.open_writer(hasher=Sha256())
    writer.append(data[:cut])
    writer.pause()
    assert writer.size == cut
    return Content.objects.get(pk=writer.content.pk), writer.hasher.save()


@pytest.fixture(autouse=True)
def short_batches(monkeypatch):
    monkeypatch.setattr(database, "BATCH_BYTES", 2 * CHUNK)
    # Nobody's of another test.
    monkeypatch.setattr(database, "_open_writers", WeakSet())


@pytest.mark.parametrize(
    "cut",
    [0, 1, INLINE_SIZE, database.SHORT_CHUNK - 1, database.SHORT_CHUNK, CHUNK - 1, CHUNK, CHUNK + 1]
    + [2 * CHUNK, 4 * CHUNK + database.SHORT_CHUNK - 1, SIZE - 1, SIZE],
)
def test_writer_goes_on_behind_what_is_there(home, cut):
    data = noise(SIZE, cut)
    content, state = pause_at(home, data, cut)
    assert content.state == Content.State.RECEIVING
    writer = home.storage.open_writer(content, cut, hasher=Sha256.restored(state))
    writer.append(data[cut:])
    content = commit(writer)
    assert home.read(content) == data
    assert list(home.storage.inspect(content))
    assert writer.hasher.hexdigest() == hashlib.sha256(data).hexdigest()
    # Ranges are found among pieces of any size.
    for start in range(max(cut - 2, 0), min(cut + 2, SIZE)):
        assert home.read(content, start, min(start + 3, SIZE)) == data[start : start + 3]


def test_many_pauses_make_one_content(home):
    chance = random.Random(1)
    data = noise(SIZE, 1)
    content, state = pause_at(home, data, 0)
    at = 0
    while at < SIZE:
        writer = home.storage.open_writer(content, at, hasher=Sha256.restored(state))
        more = chance.choice([1, 1000, 100_000, CHUNK, 3 * CHUNK])
        writer.append(data[at : at + more])
        writer.pause()
        state, at = writer.hasher.save(), writer.size
        content = Content.objects.get(pk=content.pk)
    content = commit(home.storage.open_writer(content, at, hasher=Sha256.restored(state)))
    assert home.read(content) == data


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_what_is_behind_is_cut_off(home, size):
    data = noise(SIZE, size)
    content, _ = pause_at(home, data, SIZE)
    guards: list[None] = []
    home.storage.truncate(content, size, lambda: guards.append(None))
    assert guards
    writer = home.storage.open_writer(content, size)
    writer.append(b"new")
    content = commit(writer)
    assert content.size == size + 3
    assert home.read(content) == data[:size] + b"new"


def test_cutting_off_ends_where_its_guard_says_so(home):
    data = noise(SIZE, 9)
    content, _ = pause_at(home, data, SIZE)

    def refuse() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        home.storage.truncate(content, 1, refuse)
    assert home.read(commit(home.storage.open_writer(content, SIZE))) == data


def test_nothing_is_cut_off_where_nothing_is_behind(home):
    content, _ = pause_at(home, noise(SIZE), SIZE)
    home.storage.truncate(content, SIZE, lambda: pytest.fail("There is nothing to do."))


def test_batches_tell_where_they_are(home):
    seen: list[tuple[int, str]] = []
    data = noise(SIZE, 3)

    def on_batch(writer) -> None:
        seen.append((writer.size, writer.hasher.hexdigest()))

    writer = home.storage.open_writer(hasher=Sha256(), on_batch=on_batch)
    for start in range(0, SIZE, 300_000):
        writer.append(data[start : start + 300_000])
    writer.seal()
    commit(writer)
    assert [size for size, _hash in seen] == [2 * CHUNK, 4 * CHUNK, SIZE]
    assert seen == [(size, hashlib.sha256(data[:size]).hexdigest()) for size, _hash in seen]


def test_batch_that_is_not_wanted_is_not_written(home):
    def refuse(writer) -> None:
        raise LookupError

    writer = home.storage.open_writer(on_batch=refuse)
    with pytest.raises(LookupError):
        writer.append(noise(3 * CHUNK))
    assert not Content.objects.exists()


def test_last_batch_waits_for_its_owner(home):
    writer = home.storage.open_writer()
    writer.append(noise(4 * CHUNK))
    assert Content.objects.get().size == 2 * CHUNK
    assert commit(writer).size == 4 * CHUNK
