from __future__ import annotations

import hashlib
import random
from typing import Any
from weakref import WeakSet

import pytest

from files import sha256
from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import (
    DigestMismatchError,
    DuplicateFileError,
    FileNotFoundInSpaceError,
    FileTooLargeError,
    InvalidUploadError,
    UploadConflictError,
    UploadExpiredError,
    UploadFinalError,
)
from files.models import INLINE_SIZE, MAX_CHUNK_SIZE, Chunk, Content, Event, File, Upload
from files.services import resumable, uploads
from files.services.resumable import concatenation, rows
from files.storage import database, read
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

MIB = MAX_CHUNK_SIZE


def create(size: int | None, **given: Any) -> Upload:
    usual: Any = {"actor": SYSTEM, "space_id": DEFAULT_SPACE_ID, "name": "a.bin"}
    return resumable.create_upload(size=size, **usual | given)


def send(upload: Upload, data: bytes, offset: int | None = None, **given: Any) -> Upload:
    at = Upload.objects.get(pk=upload.pk).offset if offset is None else offset
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=at, **given)
    for start in range(0, len(data), 100_000):
        resumable.append(piece, data[start : start + 100_000])
    return resumable.end_piece(piece)


def found(upload: Upload) -> Upload:
    return resumable.find_upload(actor=SYSTEM, upload_id=upload.pk)


def bytes_of(file_id: int | None) -> bytes:
    file = File.objects.defer(None).select_related("content").get(pk=file_id or 0)
    return b"".join(read(file, 0, file.size))


def concat_of(*parts: Upload) -> str:
    return "final;" + " ".join(f"/api/v1/uploads/{part.pk}/" for part in parts)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(database, "BATCH_BYTES", 2 * MIB)
    # Nobody's of another test.
    monkeypatch.setattr(database, "_open_writers", WeakSet())


@pytest.mark.parametrize(
    "sizes",
    [
        (0,),
        (1,),
        (INLINE_SIZE,),
        (INLINE_SIZE + 1,),
        (1, 1, INLINE_SIZE - 2),
        (1, INLINE_SIZE),
        (INLINE_SIZE, 1, 1),
        (MIB, MIB),
        (MIB - 1, 2, MIB - 1),
        (10, 300_000, 10, 10, 5 * MIB),
        (5 * MIB + 7, 3),
        (5 * MIB, 0, 1),
    ],
    ids=str,
)
def test_pieces_of_any_size_become_the_file(sizes, small_batches):
    data = noise(sum(sizes), 1)
    upload, position = create(len(data)), 0
    for size in sizes:
        if len(data):
            assert Upload.objects.get(pk=upload.pk).offset == position
            send(upload, data[position : position + size])
        position += size

    upload = found(upload)
    assert (upload.state, upload.offset, upload.content_id) == ("stored", len(data), None)
    file = File.objects.get(pk=upload.file_id or 0)
    assert (file.name, file.size) == ("a.bin", len(data))
    assert file.hash == hashlib.sha256(data).hexdigest()
    assert bytes_of(file.pk) == data
    assert Event.objects.filter(name="file.uploaded", object_id=file.pk).count() == 1
    assert Content.objects.exclude(state=Content.State.STORED).count() == 0


def test_many_small_pieces_make_few_rows():
    data = noise(1_200_000, 2)
    upload = create(len(data))
    for start in range(0, len(data), 20_000):
        send(upload, data[start : start + 20_000])
    assert bytes_of(found(upload).file_id) == data
    assert Chunk.objects.count() <= len(data) // database.SHORT_CHUNK + 1


def test_type_is_told_by_the_first_bytes_wherever_they_were_cut():
    for cut in (1, 40_000, 3_000_000):
        data = b"%PDF-1.7\n" + noise(4_000_000, cut)
        upload = create(len(data), name="x.bin")
        send(upload, data[:cut])
        send(upload, data[cut:])
        assert File.objects.get(pk=found(upload).file_id or 0).mime_type == "application/pdf"


def test_running_hash_is_not_computed_again(monkeypatch, small_batches):
    data = noise(6 * MIB, 3)
    upload = create(len(data))
    send(upload, data[: 4 * MIB + 5])
    hashed: list[int] = []
    update = sha256.Sha256.update

    def counting(self: sha256.Sha256, data: bytes) -> None:
        hashed.append(len(data))
        update(self, data)

    monkeypatch.setattr(sha256.Sha256, "update", counting)
    send(upload, data[4 * MIB + 5 :])
    assert sum(hashed) == 2 * MIB - 5
    assert found(upload).state == Upload.State.STORED


def test_without_a_kept_hash_all_is_read_once_more(monkeypatch, small_batches):
    monkeypatch.setattr(sha256, "_checked", lambda: (None, "none"))
    data = noise(6 * MIB + 1, 3)
    upload = create(len(data))
    send(upload, data[: 4 * MIB + 5])
    send(upload, data[4 * MIB + 5 :])
    assert bytes_of(found(upload).file_id) == data


def test_damage_meanwhile_is_found_where_no_hash_is_kept(monkeypatch):
    monkeypatch.setattr(sha256, "_checked", lambda: (None, "none"))
    data = noise(3 * MIB, 3)
    upload = create(len(data), digest=hashlib.sha256(data).digest())
    send(upload, data[: 2 * MIB])
    Chunk.objects.filter(offset=0).update(data=noise(MIB, 9))
    with pytest.raises(Exception, match="damaged"):
        send(upload, data[2 * MIB :])
    assert not File.objects.exists()


def test_last_request_that_claims_it_writes(small_batches):
    data = noise(6 * MIB, 4)
    upload = create(len(data))
    first = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)
    resumable.append(first, data[: 2 * MIB + 1])  # 2 MiB of it are kept
    resumable.append(first, data[2 * MIB + 1 : 5 * MIB])
    at = Upload.objects.get(pk=upload.pk).offset
    assert at == 4 * MIB
    second = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=at)
    with pytest.raises(UploadConflictError):
        resumable.append(first, data[5 * MIB :])
        resumable.end_piece(first)
    resumable.append(second, data[at:])
    assert resumable.end_piece(second).state == Upload.State.STORED
    assert bytes_of(found(upload).file_id) == data


def test_other_offsets_are_told_the_right_one():
    upload = create(10)
    send(upload, b"abc")
    with pytest.raises(UploadConflictError) as refused:
        send(upload, b"abc", offset=0)
    assert refused.value.offset == 3
    send(upload, b"defghij")
    with pytest.raises(UploadConflictError):
        send(upload, b"", offset=3)
    assert send(upload, b"", offset=10).state == Upload.State.STORED


@pytest.mark.parametrize("start", [0, 5, INLINE_SIZE, INLINE_SIZE + 1, MIB, MIB + 5])
def test_dropped_piece_leaves_nothing(start, small_batches):
    data = noise(6 * MIB, start)
    upload = create(len(data))
    send(upload, data[:start])
    piece = resumable.begin_piece(
        actor=SYSTEM, upload_id=upload.pk, offset=start, all_or_nothing=True
    )
    resumable.append(piece, noise(4 * MIB, 99))
    assert Upload.objects.get(pk=upload.pk).offset == start
    if start % 2:
        resumable.drop_piece(piece)
        kept = Upload.objects.get(pk=upload.pk)
        assert kept.offset == start
        if kept.content:
            sizes = kept.content.chunks.values_list("size", flat=True)
            assert sum(sizes) == start
    # Else its process died; the next request removes what it left.
    send(upload, data[start:])
    assert bytes_of(found(upload).file_id) == data


def test_whole_upload_whose_process_died_is_finished_by_who_asks(monkeypatch):
    data = noise(3 * MIB, 5)
    upload = create(len(data))
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "commit", _fail)
        with pytest.raises(FileNotFoundInSpaceError):
            send(upload, data)
    assert Upload.objects.get(pk=upload.pk).is_whole
    assert not File.objects.exists()
    assert found(upload).state == Upload.State.STORED
    assert bytes_of(found(upload).file_id) == data


def _fail(*given: object, **named: object) -> None:
    raise FileNotFoundInSpaceError("died")


def test_duplicate_tells_the_file_that_is_there():
    file = make_file(noise(2 * MIB, 6))
    upload = create(2 * MIB)
    assert send(upload, noise(2 * MIB, 6)).state == Upload.State.DUPLICATE
    assert found(upload).file_id == file.pk
    given_up = Content.objects.exclude(pk=file.content_id or 0)
    assert set(given_up.values_list("state", flat=True)) <= {Content.State.RELEASED}
    assert File.objects.count() == 1


def test_announced_digest_is_proven():
    data = noise(MIB, 7)
    upload = create(len(data), digest=hashlib.sha256(b"other").digest())
    with pytest.raises(DigestMismatchError):
        send(upload, data)
    assert not Upload.objects.exists()
    make_file(data)
    with pytest.raises(DuplicateFileError):
        create(len(data), digest=hashlib.sha256(data).digest())


def test_length_may_come_later_and_only_once():
    upload = create(None)
    send(upload, b"abc")
    with pytest.raises(InvalidUploadError):
        send(upload, b"", size=2)
    send(upload, b"", size=6)
    with pytest.raises(InvalidUploadError):
        send(upload, b"", size=7)
    assert send(upload, b"def").state == Upload.State.STORED


def test_more_than_announced_is_refused(settings):
    upload = create(5)
    with pytest.raises(FileTooLargeError):
        send(upload, b"", length=6)
    with pytest.raises(FileTooLargeError):
        send(upload, b"abcdef")
    assert found(upload).offset == 0
    settings.FILESERVER_MAX_UPLOAD_SIZE = 10
    with pytest.raises(FileTooLargeError):
        create(11)
    with pytest.raises(FileTooLargeError):
        send(create(None), b"", size=11)
    with pytest.raises(FileTooLargeError):
        send(create(None), b"12345678901")


def test_terminated_upload_is_gone():
    upload = create(3 * MIB)
    send(upload, noise(2 * MIB, 8))
    resumable.terminate_upload(actor=SYSTEM, upload_id=upload.pk)
    with pytest.raises(FileNotFoundInSpaceError):
        found(upload)
    with pytest.raises(FileNotFoundInSpaceError):
        resumable.terminate_upload(actor=SYSTEM, upload_id=upload.pk)
    assert Content.objects.get().state == Content.State.RELEASED


def test_terminating_a_stored_one_leaves_the_file():
    upload = create(1)
    send(upload, b"a")
    resumable.terminate_upload(actor=SYSTEM, upload_id=upload.pk)
    assert File.objects.count() == 1


def test_expired_upload_is_told():
    upload = create(3)
    Upload.objects.update(expires_at=upload.created_at)
    for ask in (found, lambda upload: send(upload, b"a")):
        with pytest.raises(UploadExpiredError):
            ask(upload)


def test_parts_become_one_file(small_batches, monkeypatch):
    monkeypatch.setattr(concatenation, "STEP", MIB)
    sizes = (3 * MIB + 1, 0, 5, INLINE_SIZE + 1)
    parts = [create(size, is_partial=True) for size in sizes]
    data = [noise(size, size) for size in sizes]
    for part, its_data in zip(parts, data, strict=True):
        send(part, its_data)
    assert not File.objects.exists()
    concat = concat_of(*parts, parts[2])
    final = resumable.create_final(
        actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="whole.bin", concat=concat
    )
    assert final.size == sum(sizes) + 5
    with pytest.raises(UploadFinalError):
        send(final, b"")
    # Broken off, and gone on with by the same request again.
    steps = resumable.assemble(actor=SYSTEM, upload_id=final.pk)
    next(steps)
    steps.close()
    assert 0 < Upload.objects.get(pk=final.pk).offset < final.size
    again = resumable.create_final(
        actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="whole.bin", concat=concat
    )
    assert again.pk == final.pk
    list(resumable.assemble(actor=SYSTEM, upload_id=final.pk))
    assert bytes_of(found(final).file_id) == b"".join([*data, data[2]])
    # The parts went with the commit.
    assert list(Upload.objects.all()) == [final]


def test_parts_must_be_there_and_whole():
    part = create(5, is_partial=True)
    for concat, told in (
        (concat_of(part), "not complete"),
        (concat_of(create(5)), "no partial upload"),
        ("final;/api/v1/uploads/1/", "no partial upload"),
    ):
        with pytest.raises(InvalidUploadError, match=told):
            resumable.create_final(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="a", concat=concat)


def test_unfinished_uploads_are_few(monkeypatch):
    monkeypatch.setattr(rows, "MOST_UNFINISHED", 2)
    for _ in range(2):
        create(5)
    with pytest.raises(Exception, match="2 unfinished"):
        create(5)


def test_random_pieces_arrive(small_batches):
    chance = random.Random(5)
    for seed in range(5):
        data = noise(chance.randint(1, 7 * MIB), 50 + seed)
        upload = create(len(data))
        while (at := Upload.objects.get(pk=upload.pk).offset) < len(data):
            size = chance.choice([1, 70_000, MIB, 3 * MIB])
            keep = chance.random() < 0.7
            piece = resumable.begin_piece(
                actor=SYSTEM, upload_id=upload.pk, offset=at, all_or_nothing=not keep
            )
            resumable.append(piece, data[at : at + size])
            if keep:
                resumable.end_piece(piece)
            elif chance.random() < 0.5:
                resumable.drop_piece(piece)
        assert bytes_of(found(upload).file_id) == data
