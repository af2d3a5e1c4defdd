"""Room on the disk is promised to uploads under way, and to nobody who brings nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F, Sum

from files.models import Chunk, Content, Upload
from files.tests.doors import Ask, Sent, client_asking, through_form, through_put
from files.tests.running_server import Answer
from files.tests.samples import noise
from files.tests.tus_doors import UPLOADS, VERSION, became, created, part_of, patched

pytestmark = pytest.mark.django_db

MB = 1_000_000
ROOM = 10 * MB


@pytest.fixture(autouse=True)
def small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be room for ROOM bytes, whatever the database."""

    def room() -> int:
        kept = Chunk.objects.aggregate(bytes=Sum("size"))["bytes"]
        return max(ROOM - int(kept or 0), 0)

    monkeypatch.setattr("files.storage.database.room", room)
    monkeypatch.setattr("files.services.uploads.room", room)


@pytest.fixture
def ask() -> Ask:
    return client_asking()


def creation(ask: Ask, size: int, **headers: str) -> Answer:
    return ask("POST", UPLOADS, b"", VERSION | {"Upload-Length": str(size)} | headers)


def created_of(ask: Ask, size: int) -> str:
    return created(ask, {"Upload-Length": str(size)})


def begun(ask: Ask, size: int) -> str:
    """Make an upload and send its first byte: without one it promises nothing."""
    path = created_of(ask, size)
    patched(ask, path, 0, b"x")
    return path


def assert_full(answer: Answer) -> None:
    assert (answer.status, answer.json()["code"]) == (507, "storage_full")


def test_what_uploads_still_are_to_bring_is_taken(ask):
    begun(ask, 6 * MB)
    assert_full(creation(ask, 4 * MB + 2))
    begun(ask, 4 * MB)
    assert_full(creation(ask, 2 * MB))
    assert Upload.objects.count() == 2


def test_client_that_never_heard_of_its_upload_may_begin_another(ask):
    created_of(ask, 6 * MB)
    assert creation(ask, 6 * MB).status == 201


def test_what_they_brought_is_not_counted_twice(ask):
    path = created_of(ask, 8 * MB)
    patched(ask, path, 0, noise(7 * MB))
    assert_full(creation(ask, 2 * MB + 1))
    assert creation(ask, 2 * MB).status == 201


def test_an_upload_is_not_in_its_own_way(ask):
    data = noise(ROOM)
    path = created_of(ask, ROOM)
    half = patched(ask, path, 0, data[: 5 * MB])
    patched(ask, path, half, data[half:])
    assert became(ask, path).file_id


@pytest.mark.parametrize("ends", ["DELETE", "stored", "idle"])
def test_room_comes_back(ask, ends):
    path = begun(ask, 8 * MB)
    assert_full(creation(ask, 3 * MB))
    if ends == "DELETE":
        assert ask("DELETE", path, b"", VERSION).status == 204
    elif ends == "idle":
        # Nobody keeps it by doing nothing.
        past = timedelta(hours=1, seconds=1)
        Upload.objects.update(updated_at=F("updated_at") - past)
    else:
        patched(ask, path, 1, noise(6 * MB - 1))
        assert_full(creation(ask, 2 * MB + 1))
        patched(ask, path, 6 * MB, noise(2 * MB))
    assert creation(ask, 3 * MB if ends != "stored" else 2 * MB).status == 201


def test_who_comes_back_to_an_idle_upload_takes_its_room_again(ask):
    path = created_of(ask, 8 * MB)
    Upload.objects.update(updated_at=F("updated_at") - timedelta(hours=2))
    patched(ask, path, 0, b"first byte")
    assert_full(creation(ask, 3 * MB))


def test_a_length_that_is_told_late_needs_room_too(ask):
    begun(ask, 6 * MB)
    path = created(ask, {"Upload-Defer-Length": "1"})
    length = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert_full(ask("PATCH", path, b"x", VERSION | length | {"Upload-Length": str(5 * MB)}))
    assert patched(ask, path, 0, b"x", **{"Upload-Length": str(4 * MB)}) == 1
    assert_full(creation(ask, 2 * MB))


def test_parts_need_room_for_both_until_they_are_put_together(ask):
    parts = " ".join(part_of(ask, noise(3 * MB, seed)) for seed in (1, 2))
    concat = {"Upload-Concat": f"final;{parts}"}
    assert_full(ask("POST", UPLOADS, b"", VERSION | concat))
    assert Upload.objects.count() == 2


@pytest.mark.parametrize("send", [through_form, through_put])
def test_other_doors_leave_it_to_them(ask, send: Callable[[Ask, Sent], object]):
    begun(ask, 8 * MB)
    assert "storage_full" in str(send(ask, Sent("a.bin", noise(4 * MB))))
    # What is small is not worth a look at them.
    assert "storage_full" not in str(send(ask, Sent("b.bin", noise(MB))))
    assert not Content.objects.filter(files=None, state=Content.State.STORED).exists()
