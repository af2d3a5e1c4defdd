"""Deletes files: into the trash, and out of it for good or back.

Entry points: delete_file, restore_file, purge_file, empty_trash. A purged file's row and
all that hangs on it go at once, its bytes after a grace time for running downloads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone

from files.actors import SYSTEM, Actor
from files.exceptions import FileNotFoundInSpaceError, VersionMismatchError, gettext_noop
from files.models import Content, File, FileQuerySet, Space
from files.permissions import require_write
from files.services import events, totals
from files.storage import in_transaction

# Rows of one query while the trash is emptied.
PAGE = 500

IsKnown = Callable[[File], bool]


@dataclass(frozen=True, slots=True)
class Emptied:
    """What left the trash for good."""

    files: int
    bytes: int


@in_transaction
def delete_file(*, actor: Actor, file_id: int, is_known: IsKnown | None = None) -> None:
    """Move the file to the trash; for good where FILESERVER_TRASH_DAYS is 0.

    Of several callers at once exactly one succeeds. `is_known` tells whether the caller
    knows the file as it is now; where it does not, nothing is deleted and
    VersionMismatchError is raised.
    """
    file = locked_file(File.objects.visible_to(actor), actor, file_id, is_known)
    if not settings.FILESERVER_TRASH_DAYS:
        _purge(file, actor)
        return
    file.deleted_at = timezone.now()
    file.version += 1
    file.save(update_fields=["deleted_at", "updated_at", "version"])
    events.record("file.trashed", actor, file)
    totals.add_listed(file, -1)


@in_transaction
def restore_file(*, actor: Actor, file_id: int) -> File:
    """Bring the file back from the trash, as it was."""
    file = locked_file(File.everything.trash_of(actor), actor, file_id)
    file.deleted_at = None
    file.version += 1
    file.save(update_fields=["deleted_at", "updated_at", "version"])
    events.record("file.restored", actor, file)
    totals.add_listed(file, 1)
    return file


@in_transaction
def purge_file(*, actor: Actor, file_id: int) -> None:
    """Delete the file for good, be it in the trash or not."""
    _purge(locked_file(File.everything.in_spaces_of(actor), actor, file_id), actor)


def empty_trash(*, dry_run: bool = False) -> Emptied:
    """Delete for good what has been in the trash for FILESERVER_TRASH_DAYS.

    A transaction a file, so that uploads go on meanwhile; safe to kill at any point and
    to run twice at once.
    """
    limit = timezone.now() - timedelta(days=settings.FILESERVER_TRASH_DAYS)
    files = size = 0
    # By space, as the indexes are.
    for space_id in Space.objects.values_list("pk", flat=True):
        expired = File.everything.in_space(space_id).filter(deleted_at__lt=limit).order_by()
        if dry_run:
            found = expired.aggregate(files=Count("pk"), bytes=Sum("size"))
            files, size = files + found["files"], size + (found["bytes"] or 0)
            continue
        while ids := list(expired.values_list("pk", flat=True)[:PAGE]):
            for file_id in ids:
                purged = _purge_expired(expired, file_id)
                if purged is not None:
                    files, size = files + 1, size + purged
    return Emptied(files, size)


def locked_file(
    files: FileQuerySet, actor: Actor, file_id: int, is_known: IsKnown | None = None
) -> File:
    """Return the file of `files`, locked for a change that `actor` may make.

    Locked, so that the second of two deletes waits and finds nothing. Raises
    FileNotFoundInSpaceError, AccessDeniedError, or VersionMismatchError where
    `is_known` tells that the caller knows another version.
    """
    file = files.without_bytes().select_for_update().filter(pk=file_id).first()
    if file is None:
        raise FileNotFoundInSpaceError(gettext_noop("There is no file %(id)s."), id=file_id)
    require_write(actor, file.space_id)
    if is_known is not None and not is_known(file):
        raise VersionMismatchError(
            gettext_noop("The file was changed meanwhile; its version is %(version)s now."),
            version=file.version,
        )
    return file


@in_transaction
def _purge_expired(expired: FileQuerySet, file_id: int) -> int | None:
    """Purge one file of the trash; return its size, None where it was restored meanwhile."""
    file = expired.without_bytes().select_for_update().filter(pk=file_id).first()
    if file is None:
        return None
    _purge(file, SYSTEM)
    return file.size


def _purge(file: File, actor: Actor) -> None:
    """Remove the row; its content is released unless another file has it too."""
    events.record("file.deleted", actor, file)
    if file.deleted_at is None:
        totals.add_file(file, -1)
    else:
        totals.add_home(file, -1)
    content_id = file.content_id
    if content_id:
        # Of two files that share it, the deletes come one after the other.
        Content.objects.select_for_update().get(pk=content_id)
    file.delete()
    release_content(content_id)


def release_content(content_id: int | None) -> None:
    """Give up the content that a file had, after a grace time, unless another has it too."""
    if content_id and not File.everything.filter(content_id=content_id).exists():
        Content.objects.filter(pk=content_id).release(until=Content.grace_end())
