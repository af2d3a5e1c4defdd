"""What every home must do over hours and gigabytes: in transactions of its own, unlike a test's."""

from __future__ import annotations

import hashlib
import random
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F

from files.models import MAX_CHUNK_SIZE, Content
from files.processing.maintenance import sweep
from files.sha256 import Sha256
from files.storage.database import BATCH_BYTES
from files.tests.memory import memory_growth
from files.tests.samples import noise
from files.tests.storage.conftest import Home, commit

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LONG = 300 << 20
# A batch, what the database's client makes of one statement of it, and malloc's unsteadiness: most
# runs take 20 to 30 MiB, one in some took 84. Far less than the bytes that pass.
MOST_MEMORY = 128 << 20
TWO_BATCHES = 2 * BATCH_BYTES + 5


def pieces(size: int, seed: int = 0) -> Iterator[bytes]:
    """Yield `size` bytes in pieces of an odd size, the same at each call."""
    rng = random.Random(seed)
    while size:
        piece = rng.randbytes(min(size, 777_777))
        size -= len(piece)
        yield piece


def age() -> None:
    """Let everything that has a time be older."""
    Content.objects.exclude(keep_until=None).update(keep_until=F("keep_until") - timedelta(hours=2))


def hash_of(blocks: Iterator[bytes]) -> tuple[int, str]:
    """Return the length and the SHA-256 of what may be longer than memory."""
    size, hasher = 0, hashlib.sha256()
    for block in blocks:
        size += len(block)
        hasher.update(block)
    return size, hasher.hexdigest()


def test_300_mib_come_and_go_in_constant_memory(home):
    writer = home.storage.open_writer()
    writer.append(noise(TWO_BATCHES))  # What is only needed once is there before.
    hasher, crc = hashlib.sha256(noise(TWO_BATCHES)), zlib.crc32(noise(TWO_BATCHES))
    with memory_growth() as writing:
        for piece in pieces(LONG - TWO_BATCHES):
            writer.append(piece)
            hasher.update(piece)
            crc = zlib.crc32(piece, crc)
        content = commit(writer)
    with memory_growth() as reading:
        assert hash_of(home.storage.read(content, 0, LONG)) == (LONG, hasher.hexdigest())
    with memory_growth() as inspecting:
        assert hash_of(home.storage.inspect(content)) == (LONG, hasher.hexdigest())
    assert home.storage.crc32(content) == crc
    for edge in (BATCH_BYTES, 100 << 20, LONG - MAX_CHUNK_SIZE):
        assert len(home.read(content, edge - 1, edge + 1)) == 2
    assert home.storage.remove(content) == LONG
    assert home.harm.count_pieces() == 0
    peaks = [one.peak for one in (writing, reading, inspecting)]
    assert max(peaks) < MOST_MEMORY, [f"{peak / (1 << 20):.1f} MiB" for peak in peaks]


def test_threads_read_at_once(home):
    data = noise(6 * MAX_CHUNK_SIZE + 1)
    content = home.write(data)

    def read(start: int) -> bool:
        try:
            found: bytes = home.read(Content.objects.get(pk=content.pk), start)
            return found == data[start:]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(0, len(data), MAX_CHUNK_SIZE // 2)))


def test_what_is_discarded_is_left_to_sweep(home):
    stays = home.write(b"stays")
    before = home.harm.count_pieces()
    writer = home.storage.open_writer()
    writer.append(noise(TWO_BATCHES))
    writer.discard()
    assert not Content.objects.filter(state=Content.State.RECEIVING).exists()
    sweep()
    assert Content.objects.get() == stays
    assert home.harm.count_pieces() == before
    assert home.read(stays) == b"stays"


def test_what_was_flushed_is_not_discarded(home):
    writer = home.storage.open_writer()
    writer.append(noise(TWO_BATCHES))
    content = commit(writer)
    writer.discard()
    content.refresh_from_db()
    assert (content.state, content.keep_until) == (Content.State.STORED, None)


def test_what_was_never_written_leaves_nothing(home):
    writer = home.storage.open_writer()
    writer.append(noise(100))
    writer.discard()
    assert not Content.objects.exists()
    assert home.harm.count_pieces() == 0


def test_bytes_go_after_the_grace_time_and_not_before(home: Home):
    data = noise(TWO_BATCHES)
    content = home.write(data)
    Content.objects.filter(pk=content.pk).release(until=Content.grace_end())
    assert sweep().contents == 0
    assert home.read(content) == data
    age()
    swept = sweep()
    assert (swept.contents, swept.bytes) == (1, TWO_BATCHES)
    assert home.harm.count_pieces() == 0


def test_batches_are_written_while_more_comes(home):
    begun, may_end = threading.Event(), threading.Event()

    def on_batch(writer) -> None:
        begun.set()
        assert may_end.wait(30)

    writer = home.storage.open_writer(hasher=Sha256(), on_batch=on_batch)
    data = noise(TWO_BATCHES)
    writer.append(data[: BATCH_BYTES + 1])
    assert begun.wait(30)
    writer.append(data[BATCH_BYTES + 1 :][: BATCH_BYTES - 1])
    assert writer.size == BATCH_BYTES
    may_end.set()
    writer.append(data[2 * BATCH_BYTES :])
    content = commit(writer)
    assert home.read(content) == data
    assert writer.hasher.digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("failing", [0, 1])
def test_batch_that_failed_is_told_later_and_not_lost(home, failing):
    calls: list[int] = []

    def on_batch(writer) -> None:
        calls.append(writer.size)
        if len(calls) == failing + 1:
            raise LookupError

    writer = home.storage.open_writer(hasher=Sha256(), on_batch=on_batch)
    data = noise(TWO_BATCHES)
    with pytest.raises(LookupError):
        writer.append(data)
        writer.seal()
    assert writer.size < len(data)
    writer.pause()
    assert home.read(Content.objects.get()) == data[: writer.size]
    assert writer.hasher.digest() == hashlib.sha256(data[: writer.size]).digest()
    assert Content.objects.get().size == writer.size


def test_writer_is_sealed_before_the_transaction_that_flushes(home):
    writer = home.storage.open_writer()
    writer.append(noise(TWO_BATCHES))
    with pytest.raises(RuntimeError, match="sealed before"), transaction.atomic():
        writer.flush()
    writer.discard()
    assert not Content.objects.filter(state=Content.State.RECEIVING).exists()
