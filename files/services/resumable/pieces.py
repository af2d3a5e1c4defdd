"""What one request brings to an upload, from the first look at it to the file at last."""

from __future__ import annotations

from contextlib import suppress

from files.actors import Actor
from files.exceptions import (
    DigestMismatchError,
    FilesError,
    FileTooLargeError,
    InvalidUploadError,
    UploadConflictError,
    UploadFinalError,
    gettext_noop,
)
from files.models import Upload
from files.permissions import require_write
from files.services import uploads
from files.services.resumable.claims import Piece, claim, elsewhere, guarded, kept_hash, truncate
from files.services.resumable.finishing import finish, hash_again, reloaded
from files.services.resumable.rows import new_upload, visible_upload
from files.sha256 import Sha256
from files.storage import release_connection, told_in_words


def create_upload(
    *,
    actor: Actor,
    space_id: int,
    size: int | None,
    name: str | None,
    folder: str = "",
    metadata: str = "",
    digest: bytes | None = None,
    is_partial: bool = False,
) -> Upload:
    """Make an upload of `size` bytes (None: told later), or refuse it as every door does.

    Without a name it is "upload-<id>". An empty file is stored at once.
    """
    if is_partial and digest is not None:
        raise InvalidUploadError(
            gettext_noop("A digest is that of the whole file; announce it with the final upload.")
        )
    upload = new_upload(
        actor,
        space_id,
        name,
        folder,
        size=size,
        metadata=metadata,
        digest=digest,
        concat="partial" if is_partial else "",
    )
    if upload.is_whole and not is_partial:
        return end_piece(claim(actor, upload.pk, 0))
    return upload


def find_upload(*, actor: Actor, upload_id: str) -> Upload:
    """Return the upload; where all bytes came and the server died, it is finished now.

    Raises FileNotFoundInSpaceError or UploadExpiredError.
    """
    upload = visible_upload(actor, upload_id)
    if not upload.is_receiving or not upload.is_whole or upload.is_partial:
        return upload
    # Before it is claimed: of several that ask, the first to have read it all finishes it.
    hasher = None if kept_hash(upload) else hash_again(upload)
    try:
        piece = claim(actor, upload_id, upload.offset)
        if piece.incoming.writer is not None and hasher is not None:
            piece.incoming.writer.hasher = hasher
        return end_piece(piece)
    except UploadConflictError:
        # Another request did so.
        return visible_upload(actor, upload_id)


def begin_piece(
    *,
    actor: Actor,
    upload_id: str,
    offset: int,
    size: int | None = None,
    length: int | None = None,
    all_or_nothing: bool = False,
) -> Piece:
    """Claim the upload for the bytes from `offset` on; earlier requests can write no more.

    `size` is that of a whole upload that did not tell it before, `length` that of the piece, if
    known. Raises UploadConflictError at another offset, UploadFinalError, UploadExpiredError,
    FileNotFoundInSpaceError, InvalidUploadError or FileTooLargeError.
    """
    upload = visible_upload(actor, upload_id)
    require_write(actor, upload.space_id)
    if upload.is_final:
        raise UploadFinalError(
            gettext_noop("This upload is put together of others, and takes no bytes itself.")
        )
    if upload.offset != offset:
        raise elsewhere(upload)
    whole = _agreed_size(actor, upload, size)
    if whole is not None and offset + (length or 0) > whole:
        raise _too_long(whole)
    piece = claim(actor, upload_id, offset, size)
    piece.all_or_nothing = all_or_nothing
    # The client may take as long as it likes now.
    release_connection()
    return piece


def append(piece: Piece, data: bytes) -> None:
    """Take the next bytes; may commit a batch, with the upload's new offset."""
    incoming = piece.incoming
    if incoming.size is not None and incoming.received + len(data) > incoming.size:
        raise _too_long(incoming.size)
    try:
        uploads.append(incoming, data)
    except UploadConflictError:
        _let_go(piece)
        raise


def end_piece(piece: Piece) -> Upload:
    """Keep all that came; store the file where that is all there is. Return the upload."""
    try:
        return _keep_all(piece)
    finally:
        _let_go(piece)


def _keep_all(piece: Piece) -> Upload:
    upload, incoming = piece.upload, piece.incoming
    if not upload.is_receiving:
        return upload
    piece.all_or_nothing = False
    if incoming.received != upload.size or upload.is_partial:
        pause(piece)
        return upload
    try:
        return finish(piece)
    except (UploadConflictError, DigestMismatchError):
        raise
    except FilesError:
        # So that nothing has to be sent again: `find_upload` tries once more.
        with suppress(FilesError):
            pause(piece)
        raise


def drop_piece(piece: Piece) -> None:
    """Keep nothing of what came, be it written already."""
    # Its content may be new.
    piece.upload = reloaded(piece.upload)
    try:
        with told_in_words():
            truncate(piece)
    finally:
        _let_go(piece)


def _let_go(piece: Piece) -> None:
    """Let the writer's batches go at once: it and the piece know each other."""
    piece.incoming.writer = None


def pause(piece: Piece) -> None:
    """Commit all that came, and let `piece.upload` tell so."""
    upload, incoming = piece.upload, piece.incoming
    with told_in_words():
        if incoming.writer is not None:
            incoming.writer.pause()
        elif incoming.received != upload.offset:
            hasher = Sha256()
            hasher.update(incoming.small)
            guarded(
                piece,
                offset=incoming.received,
                data=incoming.small,
                hash_state=hasher.save(),
            )
    upload.offset = incoming.writer.size if incoming.writer else incoming.received
    upload.expires_at = Upload.next_expiry()
    release_connection()


def _agreed_size(actor: Actor, upload: Upload, size: int | None) -> int | None:
    """Return the size of the whole upload, which may be told only once."""
    if size is None or size == upload.size:
        return upload.size
    if upload.size is not None:
        raise InvalidUploadError(
            gettext_noop("The upload has %(size)s bytes; that cannot be changed."),
            size=f"{upload.size:,}",
        )
    if size < upload.offset:
        raise InvalidUploadError(
            gettext_noop("%(offset)s bytes came already."), offset=f"{upload.offset:,}"
        )
    uploads.check_early(actor=actor, space_id=upload.space_id, at_least=size, digest=None)
    return size


def _too_long(size: int) -> FileTooLargeError:
    return FileTooLargeError(
        gettext_noop("More bytes came than the %(size)s that were announced."), size=f"{size:,}"
    )
