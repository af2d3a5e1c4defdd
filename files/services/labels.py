"""Makes, changes and removes labels; what they are on is `services.editing`.

Entry points: create_label, change_label, delete_label. A file that shows a label has
another version when the label is renamed or removed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone

from files.actors import Actor
from files.exceptions import (
    FileNotFoundInSpaceError,
    InvalidFieldsError,
    Phrase,
    gettext_noop,
)
from files.models import File, Label
from files.models.label import DEFAULT_COLOR
from files.names import clean_label
from files.permissions import require_write
from files.services import events
from files.storage import in_transaction

_COLOR = re.compile(r"#[0-9a-f]{6}")


@contextlib.contextmanager
def _names_told() -> Iterator[None]:
    """Turn the refusal of a name that is taken into InvalidFieldsError."""
    try:
        yield
    except IntegrityError as error:
        taken = gettext_noop("There is a label of this name already.")
        raise InvalidFieldsError({"name": Phrase(taken)}) from error


@_names_told()
@in_transaction
def create_label(*, actor: Actor, space_id: int, name: str, color: str = DEFAULT_COLOR) -> Label:
    """Make a label; `color` as "#rrggbb". Raises InvalidFieldsError for what cannot be."""
    require_write(actor, space_id)
    label = Label(space_id=space_id, name=clean_label(name), color=_clean_color(color))
    label.save(force_insert=True)
    events.record("label.created", actor, label, name=label.name, color=label.color)
    return label


@_names_told()
@in_transaction
def change_label(
    *, actor: Actor, label_id: int, name: str | None = None, color: str | None = None
) -> Label:
    """Change what is given; what is equal already changes nothing.

    A new name raises the version of every file that has the label, in this transaction:
    some 4 s for a million. Raises FileNotFoundInSpaceError, InvalidFieldsError.
    """
    new = {
        key: clean(value)
        for key, value, clean in (("name", name, clean_label), ("color", color, _clean_color))
        if value is not None
    }
    label = _locked_label(actor, label_id)
    changes = {key: value for key, value in new.items() if value != getattr(label, key)}
    if not changes:
        return label
    for key, value in changes.items():
        setattr(label, key, value)
    label.save(update_fields=list(changes))
    if "name" in changes:
        _raise_versions(label)
    events.record("label.changed", actor, label, name=label.name, color=label.color)
    return label


@in_transaction
def delete_label(*, actor: Actor, label_id: int) -> None:
    """Take the label off all files and remove it."""
    label = _locked_label(actor, label_id)
    events.record("label.deleted", actor, label, name=label.name)
    _raise_versions(label)
    label.delete()


def _locked_label(actor: Actor, label_id: int) -> Label:
    """Return the label, locked, so that the second of two deletes waits and finds nothing."""
    label = Label.objects.visible_to(actor).select_for_update().filter(pk=label_id).first()
    if label is None:
        raise FileNotFoundInSpaceError(gettext_noop("There is no label %(id)s."), id=label_id)
    require_write(actor, label.space_id)
    return label


def _clean_color(color: str) -> str:
    if not _COLOR.fullmatch(color.lower()):
        sentence = gettext_noop("A color is “#” and six hexadecimal digits.")
        raise InvalidFieldsError({"color": Phrase(sentence)})
    return color.lower()


def _raise_versions(label: Label) -> None:
    """Let clients know that the files that show the label look different now."""
    File.everything.filter(labels=label).update(version=F("version") + 1, updated_at=timezone.now())
