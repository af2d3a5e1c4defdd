from __future__ import annotations

import pytest

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import (
    AuthenticationRequiredError,
    FileNotFoundInSpaceError,
    VersionMismatchError,
)
from files.models import Content, Event, File
from files.services.deletion import delete_file
from files.storage import read
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_trash(settings):
    settings.FILESERVER_TRASH_DAYS = 0


def test_a_deleted_file_is_gone_at_once():
    file = make_file(noise(3 << 20))
    delete_file(actor=SYSTEM, file_id=file.pk)
    assert not File.everything.exists()
    assert Event.objects.filter(name="file.deleted", object_id=file.pk).exists()


def test_a_running_download_ends_whole():
    data = noise(5 << 20)
    file = File.objects.select_related("content").get(pk=make_file(data).pk)
    blocks = read(file, 0, file.size)
    begun = next(blocks)
    delete_file(actor=SYSTEM, file_id=file.pk)
    assert begun + b"".join(blocks) == data


def test_its_content_is_released_with_a_grace_time():
    file = make_file(noise(3 << 20))
    delete_file(actor=SYSTEM, file_id=file.pk)
    content = Content.objects.get()
    assert content.state == Content.State.RELEASED
    assert not Content.objects.abandoned().exists()


def test_deleted_bytes_can_be_uploaded_again():
    data = noise(3 << 20)
    delete_file(actor=SYSTEM, file_id=make_file(data).pk)
    assert make_file(data).pk


def test_a_second_delete_finds_nothing():
    file = make_file()
    delete_file(actor=SYSTEM, file_id=file.pk)
    with pytest.raises(FileNotFoundInSpaceError):
        delete_file(actor=SYSTEM, file_id=file.pk)


@pytest.mark.parametrize("file_id", [0, 2**63, 10**30])
def test_an_id_out_of_range_is_not_found(file_id):
    with pytest.raises(FileNotFoundInSpaceError):
        delete_file(actor=SYSTEM, file_id=file_id)


def test_what_changed_meanwhile_is_kept():
    file = make_file()
    with pytest.raises(VersionMismatchError):
        delete_file(actor=SYSTEM, file_id=file.pk, is_known=lambda file: file.version == 7)
    assert File.objects.exists()


def test_what_is_in_the_trash_is_not_shown():
    file = make_file()
    File.objects.update(deleted_at=file.upload_date)
    assert not File.objects.exists()
    assert File.everything.exists()
    with pytest.raises(FileNotFoundInSpaceError):
        delete_file(actor=SYSTEM, file_id=file.pk)


def test_an_outsider_finds_nothing():
    file = make_file()
    other = frozenset({99})
    outsider = Actor(name="outsider", spaces=other, writable=other, user_id=1)
    with pytest.raises(FileNotFoundInSpaceError):
        delete_file(actor=outsider, file_id=file.pk)


def test_a_reader_cannot_delete():
    file = make_file()
    with pytest.raises(AuthenticationRequiredError):
        delete_file(
            actor=Actor(name="reader", spaces=frozenset({DEFAULT_SPACE_ID})), file_id=file.pk
        )
