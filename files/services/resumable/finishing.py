"""Makes a file of an upload that is whole, and notes in its row what became of it."""

from __future__ import annotations

from django.utils import timezone

from files.exceptions import DigestMismatchError, DuplicateFileError
from files.mime import HEAD_SIZE
from files.models import Content, Upload
from files.services import uploads
from files.services.resumable.claims import Piece, guarded
from files.services.resumable.rows import not_found
from files.services.uploads import IncomingFile
from files.sha256 import Sha256
from files.storage import in_transaction, storage_of


def finish(piece: Piece) -> Upload:
    """Store the file, and note it in the upload's row in the same transaction."""
    incoming = piece.incoming
    _complete(piece.upload, incoming)
    try:
        uploads.commit(incoming, also=lambda file: _settle(piece, Upload.State.STORED, file.pk))
    except DuplicateFileError as error:
        _settle_duplicate(piece, error.existing_id)
    except DigestMismatchError:
        in_transaction(Upload.objects.filter(pk=piece.upload.pk, writer=piece.token).discard)()
        raise
    return reloaded(piece.upload)


def reloaded(upload: Upload) -> Upload:
    found = Upload.objects.select_related("content").filter(pk=upload.pk).first()
    if found is None:
        raise not_found(upload.pk)
    return found


def hash_again(upload: Upload) -> Sha256 | None:
    """Return the hash of all bytes in the content, which are read; None where there is none."""
    if upload.content is None:
        return None
    hasher = Sha256()
    for block in storage_of(upload.content.home).read(upload.content, 0, upload.offset):
        hasher.update(block)
    return hasher


def _complete(upload: Upload, incoming: IncomingFile) -> None:
    """Read again what this request did not see: the beginning, or all where no hash was kept."""
    writer = incoming.writer
    if writer is None or upload.content is None:
        return
    storage = storage_of(upload.content.home)
    stop = min(HEAD_SIZE, incoming.received)
    if len(incoming.head) < stop:
        if upload.offset < stop:
            writer.pause()
        incoming.head = b"".join(storage.read(upload.content, 0, stop))
    if writer.hasher is None:
        writer.pause()
        writer.hasher = hash_again(reloaded(upload))


@in_transaction
def _settle_duplicate(piece: Piece, existing_id: int) -> None:
    _settle(piece, Upload.State.DUPLICATE, existing_id)
    uploads.abort(piece.incoming)


def _settle(piece: Piece, state: Upload.State, file_id: int) -> None:
    """Let the row say what became of the upload; what it was put together of goes."""
    upload = piece.upload
    guarded(
        piece,
        state=state,
        file_id=file_id,
        offset=piece.incoming.received,
        content=None,
        data=b"",
        hash_state=b"",
        writer="",
        expires_at=timezone.now() + Upload.REMEMBERED_TIME,
    )
    if upload.is_final:
        parts = Upload.objects.filter(pk__in=upload.part_ids, owner_id=upload.owner_id)
        parts.filter(concat="partial").discard(until=Content.grace_end())
