"""The rows of unfinished uploads: made, found by who may know of them, given up."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from files.actors import Actor
from files.exceptions import (
    FileNotFoundInSpaceError,
    TooManyUploadsError,
    UploadExpiredError,
    gettext_noop,
)
from files.models import Upload
from files.models.upload import new_id
from files.names import clean_folder, clean_name
from files.permissions import require_write
from files.services import uploads
from files.storage import in_transaction, release_connection, told_in_words

# Unfinished uploads that somebody, or all strangers together, may have.
MOST_UNFINISHED = 10_000


def new_upload(
    actor: Actor,
    space_id: int,
    name: str | None,
    folder: str,
    *,
    size: int | None,
    digest: bytes | None,
    **columns: Any,
) -> Upload:
    upload_id = new_id()
    name = f"upload-{upload_id}" if name is None else clean_name(name)
    folder = clean_folder(folder)
    uploads.check_early(actor=actor, space_id=space_id, at_least=size or 0, digest=digest)
    _require_few(actor)
    upload = Upload(
        pk=upload_id,
        space_id=space_id,
        owner_id=actor.user_id,
        name=name,
        folder=folder,
        size=size,
        digest=digest or b"",
        expires_at=Upload.next_expiry(),
        **columns,
    )
    with told_in_words():
        upload.save(force_insert=True)
    release_connection()
    return upload


def visible_upload(actor: Actor, upload_id: str) -> Upload:
    """Return the upload; raises FileNotFoundInSpaceError or UploadExpiredError."""
    upload = Upload.objects.visible_to(actor).filter(pk=upload_id).first()
    is_expired = upload is not None and upload.expires_at < timezone.now()
    if upload is None or (is_expired and not upload.is_receiving):
        raise not_found(upload_id)
    if is_expired:
        raise UploadExpiredError(
            gettext_noop("Nothing came for too long; this upload is given up.")
        )
    return upload


def terminate_upload(*, actor: Actor, upload_id: str) -> None:
    """Forget the upload and give up its bytes; a file that was made of it stays."""
    upload = visible_upload(actor, upload_id)
    require_write(actor, upload.space_id)
    if not in_transaction(Upload.objects.filter(pk=upload_id).discard)():
        raise not_found(upload_id)


def _require_few(actor: Actor) -> None:
    unfinished = Upload.objects.visible_to(actor).unfinished()
    if unfinished[MOST_UNFINISHED - 1 : MOST_UNFINISHED].exists():
        raise TooManyUploadsError(
            gettext_noop("There are %(count)s unfinished uploads; finish or delete some first."),
            count=f"{MOST_UNFINISHED:,}",
        )


def not_found(upload_id: str) -> FileNotFoundInSpaceError:
    return FileNotFoundInSpaceError(gettext_noop("There is no upload %(id)s."), id=upload_id)
