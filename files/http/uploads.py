"""What a request brings, given to `services.uploads` while it arrives.

Entry point: `receive_upload`. Neither `request.POST` nor `request.FILES` is touched, and
nothing is spooled: a block is hashed, written and forgotten.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Never, cast
from urllib.parse import urlencode

from django.core.exceptions import SuspiciousMultipartForm
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import CsrfViewMiddleware

from files.actors import DEFAULT_SPACE_ID
from files.exceptions import (
    AccessDeniedError,
    DigestMismatchError,
    FilesError,
    InvalidUploadError,
    LengthRequiredError,
    UnsupportedEncodingError,
    gettext_noop,
)
from files.http.bodies import RequestBody
from files.http.digests import parse_digest
from files.http.multipart import FilePart, read_form
from files.http.requests import ActorRequest
from files.http.slots import transfer_slots
from files.models import File
from files.services import uploads

logger = logging.getLogger(__name__)

# Bytes of a form that cannot be the file's: its fields, heads and boundaries.
MAX_FORM_OVERHEAD = 1 << 20

FieldCheck = Callable[[Mapping[str, str]], None]


def _unprotected(request: HttpRequest) -> HttpResponse:
    """Stand for the view in Django's CSRF check, which asks it for an exemption only."""
    return HttpResponse()


_csrf = CsrfViewMiddleware(_unprotected)


def receive_upload(
    request: ActorRequest, *, name: str | None = None, check_fields: FieldCheck | None = None
) -> File:
    """Store the file that `request` brings, and return it.

    With `name` the whole body is the file, else it is a form with one part "file".
    `check_fields` gets the form's fields that came before the file, and may raise.
    Whatever is raised, nothing stays stored.
    """
    check_is_plain(request)
    check = check_fields or (lambda fields: None)
    with transfer_slots.take():
        if name is None:
            return _receive_form(request, check)
        return _receive_raw(request, name, check)


def check_csrf(request: HttpRequest, fields: Mapping[str, str]) -> None:
    """Do Django's CSRF check with the token among `fields`, or in the header.

    Raises AccessDeniedError. The body is left alone.
    """
    token = fields.get("csrfmiddlewaretoken", "")
    request.POST = QueryDict(urlencode({"csrfmiddlewaretoken": token}))
    if _csrf.process_view(request, _unprotected, (), {}) is not None:
        raise AccessDeniedError(
            gettext_noop(
                "The form's security token is missing or out of date; reload the page and try"
                " again. A program that uses a session sends the token as X-CSRFToken."
            )
        )


def check_is_plain(request: HttpRequest) -> None:
    """Raise UnsupportedEncodingError where the body is not the file's own bytes."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedEncodingError(
            gettext_noop(
                "Content-Encoding is not undone here; send the file's own bytes without it."
            )
        )


class RefusingUploadHandler(FileUploadHandler):
    """Refuses every file that reaches Django's own parser: no form here brings one."""

    def new_file(self, *args: object, **kwargs: object) -> Never:
        """Refuse with 400, before anything is spooled to disk."""
        raise SuspiciousMultipartForm("This address takes no files.")


def _receive_raw(request: ActorRequest, name: str, check_fields: FieldCheck) -> File:
    _check_is_whole_file(request)
    body = RequestBody(request)
    digest = _agreed(
        request.headers.get("Repr-Digest", ""), request.headers.get("Content-Digest", "")
    )
    if body.length is None and digest is None:
        raise LengthRequiredError(
            gettext_noop(
                "A body in chunks cannot be told from one that was cut short. Send Content-Length,"
                " or Repr-Digest, or a form (curl -F file=@- …)."
            )
        )
    check_fields({})
    return _store(
        uploads.begin(
            actor=request.actor,
            space_id=DEFAULT_SPACE_ID,
            name=name,
            size=body.length,
            digest=digest,
        ),
        body,
    )


def _receive_form(request: ActorRequest, check_fields: FieldCheck) -> File:
    body_digest = parse_digest(request.headers.get("Content-Digest", ""))
    body = RequestBody(request)
    at_least = max((body.length or 0) - MAX_FORM_OVERHEAD, 0)
    blocks = _verified(body, body_digest) if body_digest else body
    form = read_form(blocks, request.headers.get("content-type", ""))
    # What can be refused by the headers alone is, before the body is asked for.
    uploads.check_early(
        actor=request.actor,
        space_id=DEFAULT_SPACE_ID,
        at_least=at_least,
        digest=parse_digest(request.headers.get("Repr-Digest", "")),
    )
    part = cast(FilePart, next(form))
    digest = _agreed(request.headers.get("Repr-Digest", ""), part.content_digest)
    check_fields(part.fields)
    return _store(
        uploads.begin(
            actor=request.actor,
            space_id=DEFAULT_SPACE_ID,
            name=part.name,
            folder=part.fields.get("folder", ""),
            at_least=at_least,
            digest=digest,
        ),
        cast(Iterator[bytes], form),
    )


def _store(incoming: uploads.IncomingFile, blocks: Iterable[bytes]) -> File:
    try:
        for block in blocks:
            uploads.append(incoming, block)
        return uploads.commit(incoming)
    except BaseException:
        try:
            uploads.abort(incoming)
        except FilesError as error:
            # The client is told of the first error; `sweep` gives the bytes back.
            why = error.__cause__ or error
            logger.warning("An upload could not be taken back at once: %s", why)
        raise


def _check_is_whole_file(request: HttpRequest) -> None:
    """Refuse what would be stored as something else than the file."""
    # RFC 9110, 14.5: `curl -C` sends the rest of a file in this way.
    if "Content-Range" in request.headers:
        raise InvalidUploadError(
            gettext_noop("Content-Range: an upload cannot be a part of a file.")
        )
    if request.content_type == "multipart/form-data":
        raise InvalidUploadError(
            gettext_noop(
                "This address takes the file's bytes as they are; a form goes to POST /upload."
            )
        )


def _agreed(first: str, second: str) -> bytes | None:
    """Return the SHA-256 that the two digest fields name, None if none does."""
    digests = {digest for digest in map(parse_digest, (first, second)) if digest}
    if len(digests) > 1:
        raise DigestMismatchError(
            gettext_noop("Two headers announce different SHA-256 digests of the file.")
        )
    return digests.pop() if digests else None


def _verified(blocks: Iterable[bytes], digest: bytes) -> Iterator[bytes]:
    """Yield `blocks`, and raise DigestMismatchError if all together have another SHA-256."""
    hasher = hashlib.sha256()
    for block in blocks:
        hasher.update(block)
        yield block
    if hasher.digest() != digest:
        raise DigestMismatchError(
            gettext_noop(
                "Content-Digest announced the SHA-256 %(announced)s of the whole form;"
                " the bytes that came have %(received)s."
            ),
            announced=digest.hex(),
            received=hasher.hexdigest(),
        )
