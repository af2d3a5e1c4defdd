from __future__ import annotations

import pytest

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import (
    AuthenticationRequiredError,
    FileNotFoundInSpaceError,
    InvalidFieldsError,
    InvalidNameError,
    VersionMismatchError,
)
from files.models import Event, File, Label, Total
from files.services.deletion import delete_file
from files.services.editing import edit_file
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


@pytest.fixture
def labels() -> list[Label]:
    return [Label.objects.create(space_id=DEFAULT_SPACE_ID, name=name) for name in ("a", "b")]


def edit(file: File, **changes) -> File:
    return edit_file(actor=SYSTEM, file_id=file.pk, **changes)


def groups() -> dict[str, int]:
    return {
        row["suffix"]: row["count"] for row in Total.objects.in_space(DEFAULT_SPACE_ID).by_suffix()
    }


def test_a_new_name_brings_its_group_and_type():
    file = make_file(b"# Title\n\ntext\n", name="a.txt")
    edited = edit(file, name="dir/b.md")
    assert (edited.name, edited.suffix, edited.mime_type) == ("b.md", "md", "text/markdown")
    assert edited.version == 2
    assert groups() == {"md": 1}
    event = Event.objects.get(name="file.changed")
    assert event.details["changes"] == {"name": ["a.txt", "b.md"]}


def test_a_folder_is_cleaned():
    assert edit(make_file(), folder="/x//../y\\z/").folder == "x/y/z"


def test_labels_are_set_and_taken_off(labels):
    file = make_file()
    assert edit(file, labels=["b", "a"]).version == 2
    assert edit(file, labels=["a"]).version == 3
    assert [label.name for label in file.labels.all()] == ["a"]
    event = Event.objects.filter(name="file.changed").last()
    assert event.details["changes"] == {"labels": [["a", "b"], ["a"]]}


def test_a_label_is_found_however_its_accents_are_written():
    Label.objects.create(space_id=DEFAULT_SPACE_ID, name="\u00e9t\u00e9")
    file = make_file()
    edit(file, labels=["e\u0301te\u0301 "])
    assert file.labels.count() == 1


def test_what_is_equal_changes_nothing(labels):
    file = make_file(name="a.txt", folder="x")
    edit(file, labels=["a"])
    assert edit(file, name="a.txt", folder="x", labels=["a", "a"]).version == 2
    assert Event.objects.filter(name="file.changed").count() == 1


def test_an_unknown_label_changes_nothing(labels):
    file = make_file(name="a.txt")
    with pytest.raises(InvalidFieldsError) as caught:
        edit(file, name="b.txt", labels=["a", "c"])
    assert caught.value.errors.keys() == {"labels"}
    file.refresh_from_db()
    assert (file.name, file.version) == ("a.txt", 1)


@pytest.mark.parametrize("name", ["", "..", "x" * 256, "\u200b"])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(InvalidNameError):
        edit(make_file(), name=name)


def test_a_stale_version_is_refused():
    file = make_file()
    with pytest.raises(VersionMismatchError):
        edit(file, name="b", is_known=lambda file: file.version == 7)


def test_a_reader_a_stranger_and_the_trash():
    file = make_file()
    reader = Actor(name="reader", spaces=frozenset({DEFAULT_SPACE_ID}))
    with pytest.raises(AuthenticationRequiredError):
        edit_file(actor=reader, file_id=file.pk, name="b")
    with pytest.raises(FileNotFoundInSpaceError):
        edit_file(actor=Actor(name="stranger"), file_id=file.pk, name="b")
    delete_file(actor=SYSTEM, file_id=file.pk)
    with pytest.raises(FileNotFoundInSpaceError):
        edit(file, name="b")


def test_a_damaged_file_can_be_renamed():
    file = make_file(noise(3000), name="a.txt")
    File.objects.get().content.chunks.update(checksum=0)
    assert edit(file, name="a.bad").suffix == "bad"
