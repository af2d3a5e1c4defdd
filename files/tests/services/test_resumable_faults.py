"""Resumable uploads where the database fails, and where others come between."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import pytest
from django.contrib.auth.models import User

from files.actors import DEFAULT_SPACE, DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import (
    AuthenticationRequiredError,
    FileNotFoundInSpaceError,
    FileTooLargeError,
    InvalidUploadError,
    StorageBusyError,
    TooManyUploadsError,
    UploadConflictError,
)
from files.models import MAX_CHUNK_SIZE, Content, File, Upload
from files.services import resumable, uploads
from files.services.resumable import claims, pieces, rows
from files.services.resumable.claims import claim
from files.services.resumable.rows import visible_upload
from files.storage import database
from files.tests.factories import make_file
from files.tests.samples import noise
from files.tests.services.test_resumable import bytes_of, concat_of, create, found, send

pytestmark = pytest.mark.django_db

MIB = MAX_CHUNK_SIZE


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(database, "BATCH_BYTES", 2 * MIB)
    # Nobody's of another test.
    monkeypatch.setattr(database, "_open_writers", WeakSet())


def fail_once(monkeypatch) -> None:
    """Let the next batch fail, as a lost connection does."""
    write = database.DatabaseWriter._write
    failed: list[bool] = []

    def failing(self, batch, **changes):
        if not failed:
            failed.append(True)
            raise StorageBusyError("away")
        write(self, batch, **changes)

    monkeypatch.setattr(database.DatabaseWriter, "_write", failing)


@pytest.mark.parametrize("last", [1, 100, 100_000])
def test_last_block_that_was_not_written_does_not_count(monkeypatch, last):
    data = noise(2 * MIB + last, last)
    upload = create(len(data))
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)
    resumable.append(piece, data[: 2 * MIB])
    fail_once(monkeypatch)
    with pytest.raises(StorageBusyError):
        resumable.append(piece, data[2 * MIB :])
    # As the door does, so that as much as possible is kept.
    resumable.end_piece(piece)
    assert found(upload).state == Upload.State.RECEIVING
    assert found(upload).offset == 2 * MIB
    send(upload, data[2 * MIB :])
    assert bytes_of(found(upload).file_id) == data


def test_file_that_was_not_all_written_is_never_stored():
    incoming = uploads.begin(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="a")
    uploads.append(incoming, noise(MIB))
    incoming.received += 1
    with pytest.raises(StorageBusyError):
        uploads.commit(incoming)
    assert not File.objects.exists()


def test_refused_bytes_are_not_counted(settings):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 1000
    upload = create(None)
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)
    resumable.append(piece, b"a" * 900)
    with pytest.raises(FileTooLargeError):
        resumable.append(piece, b"a" * 101)
    resumable.end_piece(piece)
    kept = Upload.objects.get(pk=upload.pk)
    assert (kept.offset, len(kept.data)) == (900, 900)


def test_who_loses_the_claim_is_told(monkeypatch):
    upload = create(10)

    def overtaken(actor, upload_id):
        monkeypatch.setattr(claims, "visible_upload", visible_upload)
        send(upload, b"abc")
        return visible_upload(actor, upload_id)

    monkeypatch.setattr(claims, "visible_upload", overtaken)
    with pytest.raises(UploadConflictError) as refused:
        resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)
    assert refused.value.offset == 3


def test_who_comes_late_to_an_offset_is_told(monkeypatch):
    upload = create(10)

    def overtaken(*given, **named):
        monkeypatch.setattr(pieces, "claim", claim)
        send(upload, b"abc")
        return claim(*given, **named)

    monkeypatch.setattr(pieces, "claim", overtaken)
    with pytest.raises(UploadConflictError):
        resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)


@pytest.mark.parametrize("size", [None, 30])
def test_length_that_was_told_meanwhile_stays(monkeypatch, size):
    upload = create(None)

    def overtaken(*given, **named):
        monkeypatch.setattr(pieces, "claim", claim)
        send(upload, b"", size=20)
        return claim(*given, **named)

    monkeypatch.setattr(pieces, "claim", overtaken)
    ask: Any = {"actor": SYSTEM, "upload_id": upload.pk, "offset": 0, "size": size}
    if size is None:
        resumable.end_piece(resumable.begin_piece(**ask))
    else:
        with pytest.raises(UploadConflictError):
            resumable.begin_piece(**ask)
    assert Upload.objects.get(pk=upload.pk).size == 20


def test_duplicate_of_many_batches_gives_its_bytes_up():
    data = noise(4 * MIB + 1, 6)
    file = make_file(data)
    upload = create(len(data))
    assert send(upload, data).state == Upload.State.DUPLICATE
    (given_up,) = Content.objects.exclude(pk=file.content_id or 0)
    assert given_up.state == Content.State.RELEASED
    assert Upload.objects.get(pk=upload.pk).content_id is None


def test_rights_are_asked_for_each_time():
    upload = create(10)
    looker = Actor(name="anyone", spaces=DEFAULT_SPACE)
    with pytest.raises(AuthenticationRequiredError):
        resumable.begin_piece(actor=looker, upload_id=upload.pk, offset=0)
    with pytest.raises(AuthenticationRequiredError):
        resumable.terminate_upload(actor=looker, upload_id=upload.pk)
    assert found(upload).offset == 0


def test_each_has_his_own_uploads(monkeypatch):
    user = User.objects.create_user("anna")
    anna = Actor("anna", DEFAULT_SPACE, DEFAULT_SPACE, user.pk)
    monkeypatch.setattr(rows, "MOST_UNFINISHED", 1)
    upload = create(5, actor=anna)
    with pytest.raises(FileNotFoundInSpaceError):
        found(upload)
    # What others have begun takes nothing from him.
    create(5)
    with pytest.raises(TooManyUploadsError):
        create(5, actor=anna)


def test_finished_upload_is_forgotten_after_its_day():
    upload = create(1)
    send(upload, b"a")
    Upload.objects.update(expires_at=upload.created_at)
    with pytest.raises(FileNotFoundInSpaceError):
        found(upload)


def test_uploads_without_a_byte_promise_nothing():
    upload = create(10 * MIB)
    assert Upload.objects.promised() == 0
    send(upload, b"a")
    assert Upload.objects.promised() == 10 * MIB - 1


def test_expired_parts_and_finals_are_not_used():
    part = create(5, is_partial=True)
    send(part, b"abcde")
    ask: Any = {"actor": SYSTEM, "space_id": DEFAULT_SPACE_ID, "concat": concat_of(part)}
    ask["name"] = "a"
    final = resumable.create_final(**ask)
    Upload.objects.filter(pk=final.pk).update(expires_at=final.created_at)
    assert resumable.create_final(**ask).pk != final.pk
    Upload.objects.update(expires_at=final.created_at)
    with pytest.raises(InvalidUploadError):
        resumable.create_final(**ask)
