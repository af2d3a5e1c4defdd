"""Makes, changes and removes labels; what they are on is `services.editing`.

Entry points: create_label, change_label, delete_label. A file that shows a label has
another version when the label is renamed or removed.
"""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
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
from files.storage import told_in_words

_COLOR = re.compile(r"#[0-9a-f]{6}")


def create_label(*, actor: Actor, space_id: int, name: str, color: str = DEFAULT_COLOR) -> Label:
    """Make a label; `color` as "#rrggbb". Raises InvalidFieldsError for what cannot be."""
    require_write(actor, space_id)
    return _save(Label(space_id=space_id), actor, "label.created", name, color)


def change_label(
    *, actor: Actor, label_id: int, name: str | None = None, color: str | None = None
) -> Label:
    """Change what is given. Raises FileNotFoundInSpaceError, InvalidFieldsError."""
    label = _label(actor, label_id)
    return _save(label, actor, "label.changed", name, color)


def delete_label(*, actor: Actor, label_id: int) -> None:
    """Take the label off all files and remove it."""
    with told_in_words(), transaction.atomic():
        label = _label(actor, label_id)
        events.record("label.deleted", actor, label, name=label.name)
        _raise_versions(label)
        label.delete()


def _label(actor: Actor, label_id: int) -> Label:
    label = Label.objects.visible_to(actor).filter(pk=label_id).first()
    if label is None:
        raise FileNotFoundInSpaceError(gettext_noop("There is no label %(id)s."), id=label_id)
    require_write(actor, label.space_id)
    return label


def _save(label: Label, actor: Actor, event: str, name: str | None, color: str | None) -> Label:
    is_renamed = False
    if name is not None:
        cleaned = clean_label(name)
        is_renamed, label.name = cleaned != label.name, cleaned
    if color is not None:
        label.color = _clean_color(color)
    try:
        with told_in_words(), transaction.atomic():
            if is_renamed and label.pk:
                _raise_versions(label)
            label.save()
            events.record(event, actor, label, name=label.name, color=label.color)
    except IntegrityError as error:
        sentence = gettext_noop("There is a label of this name already.")
        raise InvalidFieldsError({"name": Phrase(sentence)}) from error
    return label


def _clean_color(color: str) -> str:
    if not _COLOR.fullmatch(color.lower()):
        sentence = gettext_noop("A color is “#” and six hexadecimal digits.")
        raise InvalidFieldsError({"color": Phrase(sentence)})
    return color.lower()


def _raise_versions(label: Label) -> None:
    """Let clients know that the files that show the label look different now."""
    File.everything.filter(labels=label).update(version=F("version") + 1, updated_at=timezone.now())
