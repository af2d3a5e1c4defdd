from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID
from files.doctor import database
from files.doctor.findings import Finding, Status
from files.models import Upload

pytestmark = pytest.mark.django_db


def only(check) -> Finding:
    found: Finding
    (found,) = check()
    return found


def make_upload(size: int | None, offset: int, **columns: object) -> Upload:
    expires_at = timezone.now() + timedelta(days=1)
    given = {"size": size, "offset": offset, "expires_at": expires_at} | columns
    return Upload.objects.create(space_id=DEFAULT_SPACE_ID, name="a.bin", **given)


def test_unfinished_uploads_are_told(monkeypatch):
    monkeypatch.setattr(database, "room", lambda: 6 << 20)
    assert only(database.uploads).text == "None is unfinished."
    make_upload(100, 100, state=Upload.State.STORED)
    assert only(database.uploads).text == "None is unfinished."
    oldest = make_upload(5 << 20, 1 << 20, updated_at=timezone.now() - timedelta(days=3))
    make_upload(None, 1 << 20)
    found = only(database.uploads)
    assert found.status is Status.OK
    assert found.text.startswith("2 unfinished, 2 MiB of them here; ")
    assert f"oldest since {oldest.updated_at:%Y-%m-%d %H:%M} UTC" in found.text


@pytest.mark.parametrize(
    ("room", "status"),
    [(4 << 20, Status.OK), ((4 << 20) - 1, Status.WARNING), (None, Status.OK)],
)
def test_want_of_room_for_the_rest_is_told(monkeypatch, room, status):
    make_upload(5 << 20, 1 << 20)
    monkeypatch.setattr(database, "room", lambda: room)
    found = only(database.uploads)
    assert found.status is status
    assert ("no room for the 4 MiB that are to come" in found.text) is (status is Status.WARNING)


def test_uploads_that_nobody_swept_are_told():
    upload = make_upload(100, 10, expires_at=timezone.now() - timedelta(hours=23))
    assert only(database.leftovers).status is Status.OK
    Upload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() - timedelta(hours=25))
    assert only(database.leftovers).status is Status.WARNING
