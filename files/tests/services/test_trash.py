from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import (
    AuthenticationRequiredError,
    DuplicateFileError,
    FileNotFoundInSpaceError,
)
from files.models import Content, Event, File, Label, Total
from files.services.deletion import delete_file, empty_trash, purge_file, restore_file
from files.storage import read, verify
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

READER = Actor(name="reader", spaces=frozenset({DEFAULT_SPACE_ID}))


def trashed(data: bytes | None = None, *, days_ago: int = 0, **names: Any) -> File:
    file = make_file(data, **names)
    delete_file(actor=SYSTEM, file_id=file.pk)
    since = timezone.now() - timedelta(days=days_ago)
    File.everything.filter(pk=file.pk).update(deleted_at=since)
    return File.everything.get(pk=file.pk)


def names_of(file: File) -> list[str]:
    events = Event.objects.filter(object_type="file", object_id=file.pk)
    return list(events.order_by("pk").values_list("name", flat=True))


def sums() -> tuple[int, int]:
    """Return how many files the groups and the homes count."""
    space = Total.objects.in_space(DEFAULT_SPACE_ID)
    groups, homes = space.by_suffix(), space.by_home()
    return sum(row["count"] for row in groups), sum(row["count"] for row in homes)


def test_a_deleted_file_is_in_the_trash():
    file = trashed(noise(3000))
    assert not File.objects.exists()
    assert file.version == 2
    assert Content.objects.get().state == Content.State.STORED
    assert sums() == (0, 1)
    assert names_of(file) == ["file.uploaded", "file.trashed"]


def test_a_restored_file_is_as_it_was():
    file = trashed(noise(3000), name="a.txt", folder="x")
    restored = restore_file(actor=SYSTEM, file_id=file.pk)
    assert (restored.name, restored.folder, restored.version) == ("a.txt", "x", 3)
    assert File.objects.get() == restored
    assert sums() == (1, 1)
    with pytest.raises(FileNotFoundInSpaceError):
        restore_file(actor=SYSTEM, file_id=file.pk)


@pytest.mark.parametrize("is_trashed", [True, False])
def test_a_purged_file_is_gone_for_good(is_trashed):
    file = trashed(noise(3000)) if is_trashed else make_file(noise(3000))
    purge_file(actor=SYSTEM, file_id=file.pk)
    assert not File.everything.exists()
    assert Content.objects.get().state == Content.State.RELEASED
    assert sums() == (0, 0)
    assert names_of(file)[-1] == "file.deleted"


def test_who_may_only_look_changes_no_trash():
    file = trashed()
    for change in (restore_file, purge_file):
        with pytest.raises(AuthenticationRequiredError):
            change(actor=READER, file_id=file.pk)


@pytest.mark.parametrize("size", [10, 3000])
def test_uploading_what_is_in_the_trash_brings_it_back(size):
    data = noise(size)
    old = trashed(data, name="old.txt")
    label = Label.objects.create(space_id=DEFAULT_SPACE_ID, name="kept")
    old.labels.add(label)
    before = timezone.now()
    file = make_file(data, name="new.md", folder="y")
    assert (file.pk, file.version) == (old.pk, 3)
    stored = File.objects.get()
    assert (stored.name, stored.suffix, stored.folder) == ("new.md", "md", "y")
    assert stored.upload_date >= before
    assert list(stored.labels.all()) == [label]
    assert b"".join(read(File.objects.get(), 0, size)) == data
    assert sums() == (1, 1)
    assert names_of(file) == ["file.uploaded", "file.trashed", "file.uploaded"]
    with pytest.raises(DuplicateFileError):
        make_file(data)


def test_uploading_again_mends_what_was_damaged():
    data = noise(3000)
    old = trashed(data)
    old.content.chunks.update(checksum=0)
    make_file(data)
    verify(File.objects.get())
    old.content.refresh_from_db()
    assert old.content.state == Content.State.RELEASED


def test_the_trash_is_emptied_of_what_is_past_its_days():
    past = trashed(noise(3000), days_ago=31)
    trashed(noise(3001), days_ago=29)
    make_file(noise(3002))
    assert empty_trash(dry_run=True).files == 1
    assert File.everything.count() == 3
    emptied = empty_trash()
    assert (emptied.files, emptied.bytes) == (1, 3000)
    assert not File.everything.filter(pk=past.pk).exists()
    assert File.everything.count() == 2
    assert empty_trash().files == 0


def test_more_than_a_page_is_emptied(monkeypatch):
    monkeypatch.setattr("files.services.deletion.PAGE", 2)
    for _ in range(5):
        trashed(b"", days_ago=31) if not File.everything.exists() else trashed(days_ago=31)
    assert empty_trash().files == 5
