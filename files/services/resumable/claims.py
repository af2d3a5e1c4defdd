"""Who writes to an upload: the request that claimed it last, until another one does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils import timezone

from files.actors import Actor
from files.exceptions import UploadConflictError, gettext_noop
from files.models import Upload
from files.services.resumable.rows import not_found, visible_upload
from files.services.uploads import IncomingFile
from files.sha256 import Sha256
from files.storage import ContentWriter, storage_of, told_in_words


@dataclass(slots=True, eq=False)
class Piece:
    """What one request brings to an upload; made by `begin_piece`."""

    upload: Upload  # as it was when the request claimed it
    token: str  # the upload's writer, while this is the last request that claimed it
    incoming: IncomingFile
    # Nothing of it counts before `end_piece`.
    all_or_nothing: bool = False


def claim(actor: Actor, upload_id: str, offset: int, size: int | None = None) -> Piece:
    """Become the upload's writer, and make ready to go on at `offset`.

    `size` is that of the whole, where the request tells it.
    """
    token = secrets.token_hex(16)
    columns: dict[str, Any] = {"writer": token, "expires_at": Upload.next_expiry()}
    with told_in_words():
        # Conditions of the row itself, looked at again by whoever waited for another claim.
        waiting = Upload.objects.unfinished().filter(pk=upload_id, offset=offset)
        if size is not None:
            waiting = waiting.filter(Q(size=None) | Q(size=size))
            columns["size"] = size
        is_claimed = waiting.update(**columns)
        upload = visible_upload(actor, upload_id)
        is_lost = upload.writer != token if is_claimed else upload.is_receiving
        if is_lost or upload.offset != offset:
            raise elsewhere(upload)
        piece = Piece(upload, token, _incoming(actor, upload))
        piece.incoming.on_batch = partial(_keep, piece)
        if is_claimed and upload.content is not None:
            truncate(piece)
            piece.incoming.writer = storage_of(upload.content.home).open_writer(
                upload.content,
                offset,
                hasher=kept_hash(upload),
                on_batch=piece.incoming.on_batch,
            )
    return piece


def guarded(piece: Piece, **columns: Any) -> None:
    """Change the upload's row if this is its writer still; else raises UploadConflictError."""
    rows = Upload.objects.filter(pk=piece.upload.pk)
    mine = rows.unfinished().filter(writer=piece.token)
    columns = {"updated_at": timezone.now(), "expires_at": Upload.next_expiry()} | columns
    if not mine.update(**columns):
        offset = rows.values_list("offset", flat=True).first()
        if offset is None:
            raise not_found(piece.upload.pk)
        raise UploadConflictError(
            gettext_noop("Another request goes on with this upload, at byte %(offset)s."),
            offset=offset,
        )


def truncate(piece: Piece) -> None:
    """Remove what an earlier writer left behind the upload's offset."""
    upload = piece.upload
    if upload.content is not None:
        guard = partial(guarded, piece)
        storage_of(upload.content.home).truncate(upload.content, upload.offset, guard)


def elsewhere(upload: Upload) -> UploadConflictError:
    return UploadConflictError(
        gettext_noop("The upload goes on at byte %(offset)s."), offset=upload.offset
    )


def _keep(piece: Piece, writer: ContentWriter) -> None:
    """Let the row say what is in the content; inside the transaction that writes the batch."""
    columns: dict[str, Any] = {"content": writer.content, "data": b""}
    if not piece.all_or_nothing:
        state = writer.hasher.save() if writer.hasher else b""
        columns |= {"offset": writer.size, "hash_state": state}
    guarded(piece, **columns)


def _incoming(actor: Actor, upload: Upload) -> IncomingFile:
    small = b"" if upload.content else bytes(upload.data)
    return IncomingFile(
        actor,
        upload.space_id,
        upload.name,
        upload.folder,
        upload.size,
        bytes(upload.digest) or None,
        received=upload.offset,
        head=small,
        small=small,
    )


def kept_hash(upload: Upload) -> Sha256 | None:
    """Return the running hash, None where it could not be kept: then `finish` reads all again."""
    hasher = Sha256.restored(bytes(upload.hash_state)) if upload.offset else Sha256()
    return hasher if hasher is not None and hasher.size == upload.offset else None
