"""What becomes of many files at once where something fails in between."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from files.actors import SYSTEM
from files.admin import runs
from files.models import Event, File
from files.services import bulk, totals
from files.tests.admin.pages import check_totals, page_of, run_action, text_of, told
from files.tests.factories import make_file
from files.tests.samples import noise

CHUNK = 1 << 20


def full_disk() -> None:
    """Do as a database that gives up the whole transaction, and tells it of one statement."""
    connection.connection.rollback()
    raise OperationalError("database or disk is full")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_nobody_is_told_of_success_for_what_was_rolled_back(admin_client, monkeypatch, place):
    files = [make_file(name=f"{number}.txt") for number in range(3)]
    original = totals.add_listed
    trashed: list[int] = []

    def add_listed(file: File, count: int) -> None:
        original(file, count)
        trashed.append(file.pk)
        if file == files[place]:
            full_disk()

    with monkeypatch.context() as patch:
        patch.setattr(totals, "add_listed", add_listed)
        run_action(admin_client, "trash", *files, confirmed="1")
    assert trashed == [file.pk for file in files[: place + 1]]
    words = told(admin_client)
    assert "0 files were moved to the trash. Failed: 3." in words
    assert "There is no room left" in words
    assert File.objects.count() == 3
    assert not Event.objects.filter(name="file.trashed").exists()
    check_totals()


@pytest.mark.django_db
def test_a_refusal_of_one_file_is_its_own(admin_client, monkeypatch):
    files = [make_file(name=f"{number}.txt") for number in range(3)]
    original = totals.add_listed

    def add_listed(file: File, count: int) -> None:
        original(file, count)
        if file == files[1]:
            raise OperationalError("database is locked")

    monkeypatch.setattr(totals, "add_listed", add_listed)
    run_action(admin_client, "trash", *files, confirmed="1")
    words = told(admin_client)
    assert "2 files were moved to the trash. Failed: 1." in words
    assert "The database is busy" in words
    assert list(File.objects.all()) == [files[1]]
    check_totals()


@pytest.mark.django_db
def test_every_damaged_range_of_a_file_is_named(admin_client, monkeypatch):
    file = make_file(noise(4 * CHUNK), name="a.bin")
    offsets = list(file.content.chunks.order_by("offset").values_list("offset", flat=True))
    file.content.chunks.filter(offset=offsets[0]).update(data=b"damaged")
    file.content.chunks.filter(offset=offsets[2]).delete()
    told_of = [
        f"File {file.pk} is damaged: bytes 0 to {offsets[1]:,} of content",
        f"; bytes {offsets[2]:,} to {offsets[3]:,} of content {file.content_id} are missing.",
    ]
    admin_client.post(page_of(file, "verify"))
    words = told(admin_client)
    monkeypatch.setattr("files.admin.file_page.SHORT_VERIFY_SIZE", 0)
    monkeypatch.setattr(runs, "REPORT_S", 0)
    page = text_of(admin_client.post(page_of(file, "verify")))
    for part in told_of:
        assert part in words
        assert part in page


@pytest.mark.django_db
def test_a_file_with_endless_damage_is_told_shortly(admin_client, monkeypatch):
    monkeypatch.setattr(bulk, "SHOWN_PROBLEMS", 1)
    file = make_file(noise(4 * CHUNK), name="a.bin")
    file.content.chunks.update(data=b"damaged")
    count = file.content.chunks.count()
    admin_client.post(page_of(file, "verify"))
    assert f"are damaged; and {count - 1} more." in told(admin_client)


@pytest.mark.django_db
def test_what_is_deleted_while_it_is_verified_is_gone():
    kept, gone = make_file(name="a.txt"), make_file(name="b.txt")
    pk = gone.pk
    gone.delete()
    found = dict(bulk.verify(SYSTEM, [kept.pk, pk]))
    assert found[kept.pk] is None
    assert "no file" in str(found[pk])
    assert not list(bulk.verify(SYSTEM, []))
    assert [event.object_id for event in Event.objects.filter(name="file.verified")] == [kept.pk]
