"""Gives what requests bring to `services.resumable` while it arrives (tus 1.0.0).

Entry points: `create_upload` for a POST, `receive_piece` for a PATCH, Assembly for an upload
that is put together of others. Refusals that need no byte come before the body is asked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from django.db import Error

from files.actors import DEFAULT_SPACE_ID
from files.exceptions import (
    ChecksumMismatchError,
    FilesError,
    FileTooLargeError,
    UnsupportedTypeError,
    UploadConflictError,
    UploadFinalError,
    gettext_noop,
)
from files.http.bodies import RequestBody
from files.http.faults import refusal_by_fault
from files.http.requests import ActorRequest
from files.http.slots import transfer_slots
from files.http.tus_headers import (
    PIECE_TYPE,
    Checksum,
    Creation,
    checksum_of,
    creation_of,
    offset_of,
    size_of,
)
from files.http.uploads import check_is_plain
from files.models import Upload
from files.services import resumable
from files.services.resumable import Piece

logger = logging.getLogger(__name__)

# An upload that is put together in this time is answered when it is: refusals have a status.
EARLY_S = 1.0


def create_upload(request: ActorRequest) -> Upload:
    """Make the upload that a POST asks for, with the first bytes if it brings some.

    One that consists of others is empty yet, and put together by an Assembly. Nothing is
    left of an upload whose first bytes are refused: nobody would know its address.
    """
    creation = creation_of(request.headers)
    body = RequestBody(request)
    if creation.is_final:
        return _create_final(request, creation, body)
    if body.length == 0:
        return _create(request, creation)
    _check_type(request)
    checksum = checksum_of(request.headers)
    if creation.size is not None and (body.length or 0) > creation.size:
        raise FileTooLargeError(
            gettext_noop("The upload shall have %(size)s bytes, and %(length)s come."),
            size=f"{creation.size:,}",
            length=f"{body.length:,}",
        )
    with transfer_slots.take():
        upload = _create(request, creation)
        if upload.is_receiving:
            upload = _receive_first(request, upload, body, checksum)
    return upload


def receive_piece(request: ActorRequest, upload_id: str) -> Upload:
    """Add the bytes that a PATCH brings; of a body that breaks off, those that came.

    Of one with a checksum all or nothing, and then ChecksumMismatchError is raised.
    """
    _check_type(request)
    offset, size = offset_of(request.headers), size_of(request.headers)
    checksum = checksum_of(request.headers)
    body = RequestBody(request)
    with transfer_slots.take():
        piece = resumable.begin_piece(
            actor=request.actor,
            upload_id=upload_id,
            offset=offset,
            size=size,
            length=body.length,
            all_or_nothing=checksum is not None,
        )
        return _receive(piece, body, checksum)


class Assembly:
    """Puts a final upload together while its answer is sent, holding a transfer's slot.

    What it yields is white space, and in the end what `tell` makes of the upload, or
    `tell_refusal` of the error that ended it. `close` gives the slot back; the response calls
    it, also when the client has gone away: the same request again then goes on.
    """

    def __init__(
        self,
        request: ActorRequest,
        upload: Upload,
        *,
        tell: Callable[[Upload], bytes],
        tell_refusal: Callable[[FilesError], bytes],
    ) -> None:
        self._request = request
        self._upload_id = upload.pk
        self._tell = tell
        self._tell_refusal = tell_refusal
        self._slot = transfer_slots.take()
        self._steps = resumable.assemble(actor=request.actor, upload_id=upload.pk)

    def finish_early(self) -> Upload | None:
        """Return the upload if it is put together within a second, else None."""
        try:
            end = time.monotonic() + EARLY_S
            while time.monotonic() < end:
                if next(self._steps, self) is self:
                    upload = self._found()
                    self.close()
                    return upload
        except BaseException:
            self.close()
            raise
        return None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for _ in self._steps:
                yield b" "
            yield self._tell(self._found())
        except (FilesError, Error) as error:
            refusal = refusal_by_fault(self._request, error) or error
            if not isinstance(refusal, FilesError):
                raise
            logger.warning("Upload %s could not be put together: %s", self._upload_id, refusal)
            yield self._tell_refusal(refusal)

    def close(self) -> None:
        """Stop, and keep what is there."""
        self._steps.close()
        self._slot.close()

    def _found(self) -> Upload:
        return resumable.find_upload(actor=self._request.actor, upload_id=self._upload_id)


def _create(request: ActorRequest, creation: Creation) -> Upload:
    return resumable.create_upload(
        actor=request.actor,
        space_id=DEFAULT_SPACE_ID,
        size=creation.size,
        name=creation.name,
        folder=creation.folder,
        metadata=creation.metadata,
        digest=creation.digest,
        is_partial=creation.is_partial,
    )


def _create_final(request: ActorRequest, creation: Creation, body: RequestBody) -> Upload:
    if body.length != 0:
        raise UploadFinalError(
            gettext_noop("An upload that is put together of others takes no bytes itself.")
        )
    return resumable.create_final(
        actor=request.actor,
        space_id=DEFAULT_SPACE_ID,
        name=creation.name,
        folder=creation.folder,
        metadata=creation.metadata,
        concat=creation.concat,
        digest=creation.digest,
    )


def _receive_first(
    request: ActorRequest, upload: Upload, body: RequestBody, checksum: Checksum | None
) -> Upload:
    try:
        piece = resumable.begin_piece(
            actor=request.actor,
            upload_id=upload.pk,
            offset=0,
            length=body.length,
            all_or_nothing=checksum is not None,
        )
        return _receive(piece, body, checksum)
    except FilesError:
        try:
            resumable.terminate_upload(actor=request.actor, upload_id=upload.pk)
        except FilesError as error:
            # The client is told of the first error; `sweep` removes the upload when it expires.
            logger.warning("Upload %s could not be taken back at once: %s", upload.pk, error)
        raise


def _receive(piece: Piece, body: RequestBody, checksum: Checksum | None) -> Upload:
    hasher = checksum.hasher() if checksum else None
    try:
        for block in body:
            if hasher is not None:
                hasher.update(block)
            resumable.append(piece, block)
        if checksum and hasher and hasher.digest() != checksum.digest:
            raise ChecksumMismatchError(
                gettext_noop("The %(algorithm)s of the bytes that came is %(received)s."),
                algorithm=checksum.algorithm,
                received=hasher.hexdigest(),
            )
    except UploadConflictError:
        # Another request writes; whatever is there is its business.
        raise
    except FilesError:
        _settle(piece, keeps=checksum is None)
        raise
    return resumable.end_piece(piece)


def _settle(piece: Piece, *, keeps: bool) -> None:
    """Keep what came of a piece that failed, or nothing of it."""
    settle = resumable.end_piece if keeps else resumable.drop_piece
    try:
        settle(piece)
    except FilesError as error:
        # The client is told of the first error, and asks where to go on in any case.
        logger.warning("A piece of upload %s was not settled: %s", piece.upload.pk, error)


def _check_type(request: ActorRequest) -> None:
    if request.content_type != PIECE_TYPE:
        raise UnsupportedTypeError(
            gettext_noop("A piece of an upload has the Content-Type %(type)s."), type=PIECE_TYPE
        )
    check_is_plain(request)
