"""Changes what is said of a file: name, folder, labels. Its bytes never change.

Entry point: edit_file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from files.actors import Actor
from files.exceptions import CorruptContentError, InvalidFieldsError, Phrase, gettext_noop
from files.mime import HEAD_SIZE, sniff
from files.models import File, Label
from files.names import clean_folder, clean_label, clean_name, suffix_of
from files.services import events, totals
from files.services.deletion import locked_file
from files.storage import in_transaction, read


@in_transaction
def edit_file(
    *,
    actor: Actor,
    file_id: int,
    is_known: Callable[[File], bool] | None = None,
    name: str | None = None,
    folder: str | None = None,
    labels: Collection[str] | None = None,
) -> File:
    """Change what is given; `labels` are the names of all that the file shall have.

    What is equal already changes nothing, and raises no version. Raises
    InvalidNameError, InvalidFieldsError for an unknown label, and what `locked_file` does.
    """
    new = {
        key: clean(value)
        for key, value, clean in (("name", name, clean_name), ("folder", folder, clean_folder))
        if value is not None
    }
    file = locked_file(File.objects.visible_to(actor), actor, file_id, is_known)
    changes: dict[str, object] = {
        key: [getattr(file, key), value]
        for key, value in new.items()
        if value != getattr(file, key)
    }
    if "name" in changes:
        _rename(file, new["name"])
    file.folder = new.get("folder", file.folder)
    if labels is not None:
        changes |= _set_labels(file, {clean_label(label) for label in labels})
    if changes:
        file.version += 1
        file.save(update_fields=["name", "suffix", "mime_type", "folder", "updated_at", "version"])
        events.record("file.changed", actor, file, changes=changes)
    return file


def _rename(file: File, name: str) -> None:
    """Give it the name, and the group and type that go with it."""
    suffix = suffix_of(name)
    file.name = name
    if suffix == file.suffix:
        return
    totals.add(space_id=file.space_id, suffix=file.suffix, count=-1, size=-file.size)
    totals.add(space_id=file.space_id, suffix=suffix, count=1, size=file.size)
    file.suffix = suffix
    try:
        head = b"".join(read(file, 0, min(HEAD_SIZE, file.size)))
    except CorruptContentError:
        return  # A damaged file can be renamed too.
    file.mime_type = sniff(head, name)


def _set_labels(file: File, names: set[str]) -> dict[str, list[list[str]]]:
    """Make these its labels; return the change of names for the event, if there is one."""
    # Locked, so that none is removed before the file has it.
    labels = Label.objects.in_space(file.space_id).select_for_update().filter(name__in=names)
    wanted = {label.name: label for label in labels}
    if unknown := names - wanted.keys():
        sentence = gettext_noop("There is no label “%(name)s”.")
        raise InvalidFieldsError({"labels": Phrase(sentence, name=min(unknown))})
    before = sorted(file.labels.values_list("name", flat=True))
    if before == sorted(names):
        return {}
    file.labels.set(wanted.values())
    return {"labels": [before, sorted(names)]}
