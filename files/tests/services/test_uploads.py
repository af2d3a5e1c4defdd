from __future__ import annotations

import hashlib
import shutil
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from files.actors import DEFAULT_SPACE, DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import (
    AccessDeniedError,
    AuthenticationRequiredError,
    BodyCutShortError,
    DigestMismatchError,
    DuplicateFileError,
    FileTooLargeError,
    InvalidNameError,
    StorageFullError,
)
from files.models import INLINE_SIZE, Chunk, Content, Event, File
from files.services import uploads
from files.storage import read
from files.tests.factories import make_file
from files.tests.samples import noise, png

pytestmark = pytest.mark.django_db

SIZES = [0, 1, INLINE_SIZE - 1, INLINE_SIZE, INLINE_SIZE + 1, 1 << 20, (20 << 20) + 3]


def begin(**changes: Any) -> uploads.IncomingFile:
    usual: dict[str, Any] = {"actor": SYSTEM, "space_id": DEFAULT_SPACE_ID, "name": "a"}
    return uploads.begin(**usual | changes)


@pytest.mark.parametrize("piece", [1 << 10, 1 << 20])
@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_is_kept_whole(size, piece):
    data = noise(size)
    file = File.objects.select_related("content").get(pk=make_file(data, piece=piece).pk)
    assert (file.size, file.hash) == (size, hashlib.sha256(data).hexdigest())
    assert b"".join(read(file, 0, size)) == data


@pytest.mark.parametrize("size", SIZES)
def test_bytes_are_in_one_place(size):
    file = File.everything.get(pk=make_file(noise(size)).pk)
    assert (file.data is not None) == (size <= INLINE_SIZE)
    assert (file.content is not None) == (size > INLINE_SIZE)
    assert Content.objects.count() == (size > INLINE_SIZE)


def test_the_row_says_what_is_known():
    file = make_file(png(), name="Grüße.PNG", folder="photos/2026")
    assert file.name == "Grüße.PNG"
    assert (file.suffix, file.folder, file.mime_type) == ("png", "photos/2026", "image/png")
    assert (file.version, file.owner_id, file.space_id) == (1, None, DEFAULT_SPACE_ID)


def test_a_small_file_is_one_transaction(django_assert_num_queries):
    incoming = begin()
    uploads.append(incoming, noise(10_000))
    # Content, chunk, a look into the trash, file, event, total; and the test's savepoint.
    with django_assert_num_queries(6 + 2):
        uploads.commit(incoming)


def test_the_same_bytes_are_refused():
    first = make_file(noise(50_000), name="first.bin")
    with pytest.raises(DuplicateFileError) as error:
        make_file(noise(50_000), name="second.bin")
    assert error.value.existing_id == first.pk
    assert File.objects.get() == first
    assert Content.objects.count() == 1


def test_a_second_empty_file_is_a_duplicate():
    make_file(b"")
    with pytest.raises(DuplicateFileError):
        make_file(b"")


def test_the_same_name_with_other_bytes_is_no_duplicate():
    make_file(b"one", name="a.txt")
    make_file(b"two", name="a.txt")
    assert File.objects.count() == 2


def test_an_event_is_written_with_the_file():
    file = make_file(b"abc", name="a.txt")
    event = Event.objects.get()
    assert (event.name, event.object_type, event.object_id) == ("file.uploaded", "file", file.pk)
    assert event.details == {"name": "a.txt", "size": 3, "hash": file.hash}


def test_a_known_digest_is_refused_before_any_byte():
    first = make_file(b"known")
    with pytest.raises(DuplicateFileError) as error:
        begin(digest=hashlib.sha256(b"known").digest())
    assert error.value.existing_id == first.pk


def test_a_wrong_digest_stores_nothing():
    incoming = begin(digest=hashlib.sha256(b"announced").digest())
    uploads.append(incoming, b"something else")
    with pytest.raises(DigestMismatchError):
        uploads.commit(incoming)
    assert not File.everything.exists()


@pytest.mark.parametrize("size", [0, 2, 4, 1 << 30])
def test_a_wrong_size_stores_nothing(size):
    incoming = begin(size=size)
    uploads.append(incoming, b"abc")
    with pytest.raises(BodyCutShortError, match=f"{size:,} bytes were announced and 3 came"):
        uploads.commit(incoming)
    assert not File.everything.exists()


def test_too_large_is_refused_by_what_is_announced(settings):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 10
    begin(size=10)
    with pytest.raises(FileTooLargeError, match="11 bytes or more; the limit is 10"):
        begin(size=11)


def test_too_large_is_refused_by_what_comes(settings):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 10
    incoming = begin()
    uploads.append(incoming, b"0123456789")
    with pytest.raises(FileTooLargeError):
        uploads.append(incoming, b"0")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the disk may be another machine's")
def test_more_than_the_disk_holds_is_refused_at_once(settings):
    free = shutil.disk_usage(settings.FILESERVER_DATA_DIR).free
    with pytest.raises(StorageFullError, match="there is room for"):
        begin(size=free)


def test_an_empty_name_is_refused():
    with pytest.raises(InvalidNameError):
        begin(name="../")


def test_an_outsider_cannot_upload():
    other = frozenset({99})
    make_file(b"known")
    with pytest.raises(AccessDeniedError):
        begin(
            actor=Actor(name="outsider", spaces=other, writable=other, user_id=1),
            digest=hashlib.sha256(b"known").digest(),
        )


def test_a_rolled_back_duplicate_gives_up_nobody_elses_bytes():
    data = noise(100_000)
    make_file(data)
    duplicate = begin(name="again")
    uploads.append(duplicate, data)
    with pytest.raises(DuplicateFileError):
        uploads.commit(duplicate)
    # SQLite gives the id of the content that was rolled back to the next one.
    other = make_file(noise(100_000, 1))
    uploads.abort(duplicate)
    assert Content.objects.get(files=other).state == Content.State.STORED


def test_a_reader_cannot_upload():
    with pytest.raises(AuthenticationRequiredError):
        begin(actor=Actor(name="reader", spaces=frozenset({DEFAULT_SPACE_ID})))


def test_nothing_is_seen_before_commit():
    incoming = begin()
    uploads.append(incoming, noise(30 << 20))
    assert Chunk.objects.exists()
    assert not File.everything.exists()


def test_abort_gives_up_what_was_written():
    incoming = begin()
    uploads.append(incoming, noise(30 << 20))
    uploads.abort(incoming)
    uploads.abort(incoming)
    assert Content.objects.abandoned().count() == 1


def test_abort_after_commit_does_nothing():
    incoming = begin()
    uploads.append(incoming, noise(30 << 20))
    uploads.commit(incoming)
    uploads.abort(incoming)
    assert Content.objects.get().state == Content.State.STORED


def test_an_upload_whose_account_is_gone_is_refused(django_user_model):
    user = django_user_model.objects.create_user("ann")
    actor = Actor(name="ann", spaces=DEFAULT_SPACE, writable=DEFAULT_SPACE, user_id=user.pk)
    user.delete()
    with pytest.raises(AuthenticationRequiredError):
        make_file(b"x", actor=actor)
    assert not File.everything.exists()


def test_no_file_is_lost_silently_when_a_duplicate_cannot_be_counted(monkeypatch):
    make_file(b"there")

    def fail(**columns: object) -> None:
        # As Django's save does when the database refuses within a transaction.
        transaction.set_rollback(True)
        raise OperationalError("database or disk is full")

    with pytest.raises(StorageFullError), transaction.atomic():
        make_file(b"new")
        monkeypatch.setattr("files.services.totals.add", fail)
        make_file(b"there")
    assert File.objects.count() == 1
