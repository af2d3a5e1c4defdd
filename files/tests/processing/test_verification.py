from __future__ import annotations

import random
import zlib

import pytest
from django.db import connection, transaction
from django.utils import timezone

from files.actors import SYSTEM
from files.models import MAX_CHUNK_SIZE, Chunk, Content, File
from files.processing import verification
from files.processing.verification import (
    Fault,
    Problem,
    Selection,
    Verified,
    unowned_contents,
    verify_file,
    verify_files,
)
from files.services.deletion import delete_file, purge_file
from files.storage import storage_of
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

CHUNK = MAX_CHUNK_SIZE


def problems(selection: Selection | None = None) -> dict[int, list[Problem]]:
    """Return what is wrong, by file."""
    found = verify_files(selection or Selection())
    return {one.file_id: list(one.problems) for one in found if one.problems}


def flip_bit(table: str, pk: int, position: int) -> None:
    """Flip the lowest bit of a byte of `data`, by SQL beside the models."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT data FROM {table} WHERE id = %s", [pk])  # noqa: S608
        data = bytearray(cursor.fetchone()[0])
        data[position] ^= 1
        cursor.execute(f"UPDATE {table} SET data = %s WHERE id = %s", [bytes(data), pk])  # noqa: S608


def contents_id(file: File) -> int:
    assert file.content_id is not None
    return file.content_id


def chunks_of(file: File) -> list[Chunk]:
    return list(Chunk.objects.filter(content=contents_id(file)).order_by("offset"))


def change_chunk(chunk: Chunk, **columns: object) -> None:
    Chunk.objects.filter(pk=chunk.pk).update(**columns)


def test_whole_files_have_no_problems():
    files = [make_file(), make_file(b""), make_file(noise(5000)), make_file(noise(3 * CHUNK + 7))]
    delete_file(actor=SYSTEM, file_id=files[2].pk)

    found = list(verify_files(Selection()))

    assert found == [Verified(file.pk, file.name, file.size, ()) for file in files]
    assert not list(unowned_contents())


def test_fifty_flipped_bits_are_all_found_and_nothing_else():
    rng = random.Random(7)
    for number in range(60):
        make_file(noise(rng.randint(3000, 9000), seed=number))
    for number in range(3):
        make_file(noise(7 * CHUNK + number, seed=100 + number))
    for pk, size in rng.sample(list(Chunk.objects.values_list("pk", "size")), 50):
        flip_bit("chunk", pk, rng.randrange(size))
    flipped = {
        (chunk.content_id, chunk.offset, chunk.offset + chunk.size)
        for chunk in Chunk.objects.all()
        if is_flipped(chunk)
    }

    found = [(one, problem) for one in verify_files(Selection()) for problem in one.problems]

    assert len(flipped) == len(found) == 50
    assert {(problem.content_id, problem.start, problem.stop) for _, problem in found} == flipped
    assert {problem.fault for _, problem in found} == {Fault.CHECKSUM}
    owners = {file.content_id: file.pk for file in File.objects.exclude(content=None)}
    assert all(owners.get(problem.content_id) == one.file_id for one, problem in found)


def is_flipped(chunk: Chunk) -> bool:
    """Tell it by another road than the one that is tested."""
    whole = File.objects.get(content_id=chunk.content_id)
    seed = whole.pk - File.objects.order_by("pk").first().pk
    seed = seed if seed < 60 else 100 + seed - 60
    data = noise(whole.size, seed=seed)
    return bytes(chunk.data) != data[chunk.offset : chunk.offset + chunk.size]


def test_each_damaged_chunk_of_a_file_is_named():
    file = make_file(noise(9 * CHUNK))
    damaged = [chunks_of(file)[number] for number in (0, 4, 8)]
    for chunk in damaged:
        flip_bit("chunk", chunk.pk, 77)

    assert problems() == {
        file.pk: [
            Problem(Fault.CHECKSUM, file.content_id, chunk.offset, chunk.offset + CHUNK)
            for chunk in damaged
        ]
    }


def test_missing_chunks_are_told_as_holes():
    file = make_file(noise(6 * CHUNK + 5))
    Chunk.objects.filter(pk__in=[chunks_of(file)[number].pk for number in (0, 2, 3, 6)]).delete()

    assert [(one.fault, one.start, one.stop) for one in problems()[file.pk]] == [
        (Fault.MISSING, 0, CHUNK),
        (Fault.MISSING, 2 * CHUNK, 4 * CHUNK),
        (Fault.MISSING, 6 * CHUNK, 6 * CHUNK + 5),
    ]


def test_no_chunk_at_all_is_one_hole():
    file = make_file(noise(5000))
    Chunk.objects.all().delete()

    assert problems() == {file.pk: [Problem(Fault.MISSING, file.content_id, 0, 5000)]}


def test_surplus_bytes_are_told():
    file = make_file(noise(5000))
    surplus = Chunk(offset=5000, size=3, checksum=zlib.crc32(b"abc"), data=b"abc")
    surplus.content_id = contents_id(file)
    surplus.save()

    assert problems() == {file.pk: [Problem(Fault.SURPLUS, file.content_id, 5000, 5003)]}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"checksum": 1}, (Fault.CHECKSUM, CHUNK, 2 * CHUNK)),
        ({"size": 5}, (Fault.CHECKSUM, CHUNK, CHUNK + 5)),
        ({"size": -4}, (Fault.CHECKSUM, CHUNK, 2 * CHUNK)),
        ({"data": b""}, (Fault.CHECKSUM, CHUNK, 2 * CHUNK)),
        ({"data": b"short"}, (Fault.CHECKSUM, CHUNK, 2 * CHUNK)),
    ],
)
def test_damaged_columns_of_a_chunk_are_told_once(columns, expected):
    file = make_file(noise(3 * CHUNK))
    change_chunk(chunks_of(file)[1], **columns)

    (problem,) = problems()[file.pk]

    assert (problem.fault, problem.start, problem.stop) == expected


def test_moved_chunk_leaves_a_hole_and_an_overlap():
    file = make_file(noise(3 * CHUNK))
    change_chunk(chunks_of(file)[1], offset=CHUNK + 4)

    assert [(one.fault, one.start, one.stop) for one in problems()[file.pk]] == [
        (Fault.MISSING, CHUNK, CHUNK + 4),
        (Fault.OVERLAP, 2 * CHUNK, 2 * CHUNK + 4),
    ]


def test_other_bytes_with_right_checksums_are_found_by_the_hash():
    file, other = make_file(noise(5000, seed=1)), make_file(noise(5000, seed=2))
    (chunk,) = chunks_of(other)
    change_chunk(chunks_of(file)[0], data=chunk.data, checksum=chunk.checksum)

    assert problems() == {file.pk: [Problem(Fault.HASH, file.content_id)]}


def test_size_of_the_row_is_compared():
    long, short = make_file(noise(5000)), make_file(b"short")
    File.objects.filter(pk=long.pk).update(size=5001)
    File.objects.filter(pk=short.pk).update(size=1)

    assert problems() == {
        long.pk: [Problem(Fault.SIZE, long.content_id, expected=5001, found=5000)],
        short.pk: [Problem(Fault.SIZE, expected=1, found=5)],
    }


def test_bytes_in_the_row_are_read():
    file, trashed = make_file(b"in the row"), make_file(b"in the trash")
    delete_file(actor=SYSTEM, file_id=trashed.pk)
    flip_bit("file", file.pk, 3)
    flip_bit("file", trashed.pk, 3)

    assert problems() == {pk: [Problem(Fault.ROW)] for pk in (file.pk, trashed.pk)}


def test_content_that_may_be_swept_is_told():
    file = make_file(noise(5000))
    Content.objects.release(until=timezone.now())

    assert problems() == {
        file.pk: [Problem(Fault.STATE, file.content_id, found="released")],
    }


def test_content_that_no_file_owns_is_told():
    make_file(noise(5000))
    writer = storage_of(Content.Home.DATABASE).open_writer()
    writer.append(b"for nobody")
    with transaction.atomic():
        writer.flush()

    assert list(unowned_contents()) == [Problem(Fault.UNOWNED, writer.content.pk, 0, 10)]
    assert not problems()


def test_unknown_home_is_told():
    file = make_file(noise(5000))
    Content.objects.update(home="attic")

    assert problems() == {file.pk: [Problem(Fault.NO_CONTENT, file.content_id)]}


def test_file_deleted_meanwhile_is_no_damage(monkeypatch):
    gone, damaged = make_file(noise(5000, seed=1)), make_file(noise(5000, seed=2))
    known = File.everything.select_related("content").get(pk=gone.pk)
    delete_file(actor=SYSTEM, file_id=gone.pk)
    purge_file(actor=SYSTEM, file_id=gone.pk)
    storage_of(Content.Home.DATABASE).remove(Content.objects.get(pk=contents_id(known)))
    flip_bit("chunk", chunks_of(damaged)[0].pk, 0)

    assert verify_file(known) is None
    assert list(problems()) == [damaged.pk]


def test_progress_adds_up_to_all_bytes():
    sizes = [file.size for file in (make_file(), make_file(noise(3 * CHUNK + 5)))]
    steps: list[int] = []

    list(verify_files(Selection(), on_progress=steps.append))

    assert sum(steps) == sum(sizes)
    assert max(steps) <= CHUNK


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_threads_find_what_one_finds(monkeypatch):
    monkeypatch.setattr(verification, "UNIT_FILES", 2)
    files = [make_file(noise(4000 + number, seed=number)) for number in range(20)]
    for file in files[3:12]:
        flip_bit("chunk", chunks_of(file)[0].pk, 9)

    alone = list(verify_files(Selection()))

    assert list(verify_files(Selection(), workers=4)) == alone
    assert sum(bool(one.problems) for one in alone) == 9


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_abandoned_iteration_ends_its_threads(monkeypatch):
    monkeypatch.setattr(verification, "UNIT_FILES", 1)
    for _ in range(30):
        make_file()
    iterator = verify_files(Selection(), workers=2)

    next(iterator)
    iterator.close()
