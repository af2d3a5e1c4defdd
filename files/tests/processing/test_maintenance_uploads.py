"""What a sweep does to uploads that nobody goes on with, and never to those that somebody does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import (
    FileNotFoundInSpaceError,
    FilesError,
    InvalidUploadError,
    UploadExpiredError,
)
from files.models import Chunk, Content, File, Upload
from files.processing import maintenance
from files.processing.maintenance import Expired, sweep
from files.services import resumable
from files.storage import verify
from files.storage.database import DatabaseWriter
from files.tests.samples import noise

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SIZE = 20 << 20
HALF = 9 << 20
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def begin(size: int = SIZE, received: int = HALF, **given: Any) -> Upload:
    """Make an upload of which some bytes came."""
    upload = resumable.create_upload(
        actor=SYSTEM, space_id=DEFAULT_SPACE_ID, size=size, name="half.bin", **given
    )
    return send(upload, noise(size)[:received])


def send(upload: Upload, data: bytes, offset: int = 0) -> Upload:
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=offset)
    resumable.append(piece, data)
    return resumable.end_piece(piece)


def age(**times: float) -> None:
    """Let everything that has a time be older."""
    passed = timedelta(**times)
    Content.objects.exclude(keep_until=None).update(keep_until=models.F("keep_until") - passed)
    Upload.objects.update(
        expires_at=models.F("expires_at") - passed, updated_at=models.F("updated_at") - passed
    )


def bytes_kept() -> int:
    return int(Chunk.objects.aggregate(bytes=models.Sum("size"))["bytes"] or 0)


@pytest.mark.parametrize("received", [0, 1000, HALF])
def test_an_upload_lives_for_its_days_after_the_last_byte(settings, received):
    settings.FILESERVER_UPLOAD_DAYS = 3
    upload = begin(received=received)
    age(days=2, hours=23)
    assert (sweep().contents, sweep().uploads) == (0, Expired())
    assert Upload.objects.get() == upload
    send(upload, noise(SIZE)[received : received + 10], received)
    age(days=2, hours=23)
    sweep()
    finished = send(upload, noise(SIZE)[received + 10 :], received + 10)
    verify(File.objects.get(pk=finished.file_id or 0))


@pytest.mark.parametrize("given", [{}, {"is_partial": True}])
def test_an_expired_upload_goes_with_all_its_bytes(given):
    begin(**given)
    assert bytes_kept() == HALF
    age(days=7, minutes=1)
    swept = sweep()
    assert swept.uploads == Expired(unfinished=1, bytes=HALF)
    assert (swept.contents, swept.bytes) == (1, HALF)
    assert not Upload.objects.exists()
    assert not Content.objects.exists()
    assert not Chunk.objects.exists()


@pytest.mark.parametrize("received", [0, 1000])
def test_one_without_chunks_expires_too(received):
    begin(5000, received)
    age(days=8)
    assert sweep().uploads == Expired(unfinished=1, bytes=received)
    assert not Upload.objects.exists()


def test_the_content_of_a_living_upload_is_never_swept():
    upload = begin()
    Content.objects.update(state=Content.State.RELEASED, keep_until=LONG_AGO)
    assert not Content.objects.abandoned().exists()
    content = Content.objects.get()
    # Found as abandoned by a sweep that read before the upload had it.
    assert not maintenance._claim(content)
    assert sweep().contents == 0
    assert bytes_kept() == HALF
    assert Upload.objects.get() == upload


def test_what_became_of_an_upload_is_told_for_a_day():
    upload = begin(5000, 5000)
    age(hours=23)
    assert sweep().uploads == Expired()
    assert resumable.find_upload(actor=SYSTEM, upload_id=upload.pk).file_id == upload.file_id
    age(hours=2)
    assert sweep().uploads == Expired(finished=1)
    assert not Upload.objects.exists()
    verify(File.objects.get(pk=upload.file_id or 0))
    assert Content.objects.get().state == Content.State.STORED


def test_thousands_expire_in_pages(monkeypatch):
    monkeypatch.setattr(maintenance, "PAGE", 7)
    # Equal times among them, so that pages end amid these.
    Upload.objects.bulk_create(
        Upload(
            space_id=DEFAULT_SPACE_ID,
            name="a",
            size=9,
            offset=number % 2,
            expires_at=LONG_AGO + timedelta(days=number // 10),
        )
        for number in range(30)
    )
    assert sweep(dry_run=True).uploads == Expired(unfinished=30, bytes=15)
    assert Upload.objects.count() == 30
    assert sweep().uploads == Expired(unfinished=30, bytes=15)
    assert not Upload.objects.exists()


def test_neither_bytes_nor_hashes_are_read():
    begin(3000, 1000)
    age(days=8)
    with CaptureQueriesContext(connection) as queries:
        sweep()
    quoted = [connection.ops.quote_name(name) for name in ("hash_state", "metadata", "concat")]
    assert not any(name in query["sql"] for query in queries for name in quoted)


@pytest.mark.parametrize("received", [1000, HALF])
def test_a_client_that_comes_back_before_the_sweep_decides_goes_on_whole(monkeypatch, received):
    upload = begin(received=received)
    age(days=8)
    found = maintenance._expired

    def come_back_meanwhile():
        for one in list(found()):
            # As of a request that asked a moment before the time was over.
            Upload.objects.filter(pk=one.pk).update(expires_at=timezone.now() + timedelta(days=1))
            send(upload, noise(SIZE)[received : received + 10], received)
            yield one

    monkeypatch.setattr(maintenance, "_expired", come_back_meanwhile)
    assert sweep().uploads == Expired()
    finished = send(upload, noise(SIZE)[received + 10 :], received + 10)
    verify(File.objects.get(pk=finished.file_id or 0))


@pytest.mark.parametrize("received", [0, 1000, HALF])
@pytest.mark.parametrize("more", [1, HALF, SIZE])
def test_a_client_that_is_amid_a_piece_when_its_upload_goes_leaves_nothing(received, more):
    upload = begin(received=received)
    rest = noise(SIZE)[received : received + more]
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=received)
    resumable.append(piece, rest[: len(rest) // 2])
    if isinstance(piece.incoming.writer, DatabaseWriter):
        # Else a batch that another thread is writing would renew the upload's time.
        piece.incoming.writer._wait()
    age(days=8)
    assert sweep().uploads.unfinished == 1
    with pytest.raises(FilesError):
        resumable.append(piece, rest[len(rest) // 2 :])
        resumable.end_piece(piece)
    assert not File.everything.exists()
    assert not Upload.objects.exists()
    age(hours=2)
    sweep()
    assert bytes_kept() == 0
    assert not Content.objects.exists()


def test_who_comes_back_too_late_is_told_so():
    upload = begin()
    age(days=8)
    for _turn in range(2):
        with pytest.raises((UploadExpiredError, FileNotFoundInSpaceError)) as refusal:
            send(upload, b"more", HALF)
        kinds = {UploadExpiredError} if Upload.objects.exists() else {FileNotFoundInSpaceError}
        assert {refusal.type} == kinds
        sweep()
    assert not Upload.objects.exists()


def test_of_two_sweeps_one_counts_it(monkeypatch):
    begin()
    age(days=8)
    found, others = maintenance._expired, []

    def beside_another_sweep():
        page = list(found())
        monkeypatch.setattr(maintenance, "_expired", found)
        others.append(sweep())
        yield from page

    monkeypatch.setattr(maintenance, "_expired", beside_another_sweep)
    assert sweep().uploads == Expired()
    assert [other.uploads.unfinished for other in others] == [1]


def test_the_command_tells_of_uploads(capsys):
    begin()
    begin(5000, 5000)
    age(days=8)
    call_command("sweep", "--dry-run")
    out = capsys.readouterr().out
    assert f"1 expired uploads with {HALF:,} bytes would be removed; " in out
    assert "1 finished ones would be forgotten; " in out
    assert Upload.objects.count() == 2
    call_command("sweep", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["uploads"] == {"unfinished": 1, "bytes": HALF, "finished": 1}
    assert told["contents"] == 1


def final_of(*parts: Upload) -> Upload:
    concat = "final;" + " ".join(f"/api/v1/uploads/{part.pk}/" for part in parts)
    return resumable.create_final(
        actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="whole.bin", concat=concat
    )


def test_parts_stay_until_they_are_put_together():
    parts = [begin(HALF, HALF, is_partial=True), begin(5000, 5000, is_partial=True)]
    age(days=6, hours=23)
    final = final_of(*parts)
    steps = resumable.assemble(actor=SYSTEM, upload_id=final.pk)
    next(steps)
    age(hours=2)
    assert sweep().uploads == Expired()
    list(steps)
    file = File.objects.get(name="whole.bin")
    assert file.size == HALF + 5000
    verify(file)
    # Another upload may be put together of the same parts at this moment.
    assert bytes_kept() == 2 * file.size
    age(hours=2)
    sweep()
    assert bytes_kept() == file.size


def test_parts_that_expired_are_not_put_together():
    part = begin(5000, 5000, is_partial=True)
    age(days=8)
    with pytest.raises(InvalidUploadError, match=f"no partial upload {part.pk}"):
        final_of(part)
