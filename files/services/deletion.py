"""Deletes files: the row and all that hangs on it at once, the bytes after a grace time.

Entry point: delete_file.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from files.actors import Actor
from files.exceptions import FileNotFoundInSpaceError, VersionMismatchError, gettext_noop
from files.models import Content, File
from files.permissions import require_write
from files.services import events, totals
from files.storage import told_in_words


def delete_file(
    *, actor: Actor, file_id: int, is_known: Callable[[File], bool] | None = None
) -> None:
    """Delete the file; of several callers at once exactly one succeeds.

    `is_known` tells whether the caller knows the file as it is now; where it does
    not, nothing is deleted and VersionMismatchError is raised.
    """
    with told_in_words(), transaction.atomic():
        # Locked, so that the second of two deletes waits and finds nothing.
        files = File.objects.visible_to(actor).select_for_update()
        file = files.filter(pk=file_id).first()
        if file is None:
            raise FileNotFoundInSpaceError(gettext_noop("There is no file %(id)s."), id=file_id)
        require_write(actor, file.space_id)
        if is_known is not None and not is_known(file):
            raise VersionMismatchError(
                gettext_noop("The file was changed meanwhile; its version is %(version)s now."),
                version=file.version,
            )
        events.record("file.deleted", actor, file)
        totals.add(space_id=file.space_id, suffix=file.suffix, count=-1, size=-file.size)
        content_id = file.content_id
        if content_id:
            # Of two files that share it, the deletes come one after the other.
            Content.objects.select_for_update().get(pk=content_id)
        file.delete()
        if content_id and not File.everything.filter(content_id=content_id).exists():
            Content.objects.filter(pk=content_id).release(until=Content.grace_end())
