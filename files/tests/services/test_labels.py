from __future__ import annotations

import pytest
from django.db import DatabaseError

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import (
    AuthenticationRequiredError,
    FileNotFoundInSpaceError,
    InvalidFieldsError,
    InvalidNameError,
)
from files.models import Event, Label
from files.services.labels import change_label, create_label, delete_label
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def create(name: str = "urgent", **more: str) -> Label:
    return create_label(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name=name, **more)


def test_a_label_is_cleaned_and_noted():
    label = create("  two \t words ", color="#FF0000")
    assert (label.name, label.color) == ("two words", "#ff0000")
    assert Event.objects.get(name="label.created").object_id == label.pk


def test_a_name_is_taken_once():
    create()
    with pytest.raises(InvalidFieldsError) as caught:
        create()
    assert caught.value.errors.keys() == {"name"}


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#gggggg", ""])
def test_a_color_that_cannot_be_is_refused(color):
    with pytest.raises(InvalidFieldsError):
        create(color=color)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "x" * 101])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(InvalidNameError):
        create(name)


def test_files_show_a_renamed_label_as_a_new_version():
    label, file = create(), make_file()
    file.labels.add(label)
    change_label(actor=SYSTEM, label_id=label.pk, color="#000000")
    file.refresh_from_db()
    assert file.version == 1
    change_label(actor=SYSTEM, label_id=label.pk, name="later")
    file.refresh_from_db()
    assert (file.version, file.labels.get().name) == (2, "later")


def test_a_removed_label_is_off_all_files():
    label, file = create(), make_file()
    file.labels.add(label)
    delete_label(actor=SYSTEM, label_id=label.pk)
    file.refresh_from_db()
    assert (file.version, file.labels.count()) == (2, 0)


def test_only_who_may_write_changes_labels():
    label = create()
    reader = Actor(name="reader", spaces=frozenset({DEFAULT_SPACE_ID}))
    with pytest.raises(AuthenticationRequiredError):
        create_label(actor=reader, space_id=DEFAULT_SPACE_ID, name="x")
    with pytest.raises(AuthenticationRequiredError):
        change_label(actor=reader, label_id=label.pk, name="x")
    with pytest.raises(FileNotFoundInSpaceError):
        delete_label(actor=Actor(name="stranger"), label_id=label.pk)


def test_what_is_equal_changes_nothing():
    label = create("urgent", color="#ff0000")
    change_label(actor=SYSTEM, label_id=label.pk, name="urgent", color="#FF0000")
    assert not Event.objects.filter(name="label.changed").exists()


def test_a_name_that_is_taken_changes_nothing():
    create("one")
    label = create("two")
    with pytest.raises(InvalidFieldsError):
        change_label(actor=SYSTEM, label_id=label.pk, name="one", color="#000000")
    label.refresh_from_db()
    assert (label.name, label.color) == ("two", "#6c757d")


def test_a_change_does_not_bring_a_removed_label_back(monkeypatch):
    label = create()

    def remove(*args: object) -> None:
        Label.objects.all().delete()

    monkeypatch.setattr("files.services.labels.require_write", remove)
    # An update that finds no row, where an insert would have brought it back.
    with pytest.raises(DatabaseError):
        change_label(actor=SYSTEM, label_id=label.pk, color="#000000")
