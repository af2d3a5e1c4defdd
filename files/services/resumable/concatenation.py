"""Uploads that are put together of others, which are read once more for it."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from django.utils import timezone

from files.actors import Actor
from files.exceptions import InvalidUploadError, gettext_noop
from files.models import File, Upload
from files.services import uploads
from files.services.resumable.claims import claim
from files.services.resumable.pieces import end_piece, pause
from files.services.resumable.rows import new_upload, visible_upload
from files.storage import storage_of

# Bytes of one step of `assemble`.
STEP = 8 << 20


def create_final(
    *,
    actor: Actor,
    space_id: int,
    name: str | None,
    concat: str,
    folder: str = "",
    metadata: str = "",
    digest: bytes | None = None,
) -> Upload:
    """Make an upload that consists of others, as `concat` ("final;…") names them; see `assemble`.

    Asked again, it is the one that is there. Raises InvalidUploadError where a part is no
    partial upload, or not whole.
    """
    same = Upload.objects.visible_to(actor).filter(space_id=space_id, concat=concat)
    for upload in same.filter(expires_at__gt=timezone.now()):
        if upload.is_receiving or File.objects.filter(pk=upload.file_id or 0).exists():
            return upload
    wanted = Upload(concat=concat).part_ids
    sizes = {part.pk: part.size for part in _parts(actor, space_id, wanted)}
    return new_upload(
        actor,
        space_id,
        name,
        folder,
        size=sum(sizes[part_id] or 0 for part_id in wanted),
        metadata=metadata,
        digest=digest,
        concat=concat,
    )


def assemble(*, actor: Actor, upload_id: str) -> Generator[None, None, None]:
    """Read the parts of a final upload into it; yields after each STEP, and when it is stored.

    Ended in the middle, another call goes on from there. The parts are given up with the
    commit that stores the file.
    """
    upload = visible_upload(actor, upload_id)
    if not upload.is_receiving:
        return
    parts = {part.pk: part for part in _parts(actor, upload.space_id, upload.part_ids)}
    piece = claim(actor, upload_id, upload.offset)
    is_whole = False
    try:
        step = 0
        for block in _joined([parts[part_id] for part_id in upload.part_ids], upload.offset):
            uploads.append(piece.incoming, block)
            step += len(block)
            if step >= STEP:
                step = 0
                yield
        is_whole = True
    finally:
        if not is_whole:
            pause(piece)
    end_piece(piece)
    yield


def _parts(actor: Actor, space_id: int, wanted: list[str]) -> list[Upload]:
    """Return the partial uploads with these ids; raises InvalidUploadError unless all are whole."""
    theirs = Upload.objects.visible_to(actor).filter(space_id=space_id, pk__in=wanted)
    found = theirs.filter(expires_at__gt=timezone.now())
    parts = [part for part in found.select_related("content") if part.is_partial]
    if missing := set(wanted) - {part.pk for part in parts}:
        raise InvalidUploadError(
            gettext_noop("There is no partial upload %(id)s."), id=sorted(missing)[0]
        )
    for part in parts:
        if not part.is_whole:
            raise InvalidUploadError(
                gettext_noop("The partial upload %(id)s is not complete."), id=part.pk
            )
    # Nothing comes for a whole part any more: who reads it keeps it.
    found.update(expires_at=Upload.next_expiry())
    return parts


def _joined(parts: list[Upload], start: int) -> Iterator[bytes]:
    """Yield the bytes of the parts, one after the other, from `start` on."""
    for part in parts:
        skip = min(start, part.offset)
        start -= skip
        if part.content is not None:
            yield from storage_of(part.content.home).read(part.content, skip, part.offset)
        elif part.data:
            yield bytes(part.data)[skip:]
