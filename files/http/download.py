"""The one place that answers with a file's content, whole or in ranges (RFC 9110).

Entry point: `download_response`. Nothing is ever compressed, and no more than a block
of storage (1 MiB) is held at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date

from files.exceptions import (
    CorruptContentError,
    FileNotFoundInSpaceError,
    ServerBusyError,
    VersionMismatchError,
    gettext_noop,
)
from files.http.content_body import PLAIN_SIZE, ContentBody, is_utf8
from files.http.digests import repr_digest
from files.http.disposition import Disposition, content_disposition
from files.http.preconditions import if_range_passes, refused_by_preconditions
from files.http.problems import problem_of, problem_response
from files.http.ranges import ByteRange, parse_range
from files.models import File

# What a browser can show and cannot run script from. No SVG, HTML, XML or PDF.
INLINE_TYPES: Final = frozenset(
    f"{kind}/{name}"
    for kind, names in {
        "image": "apng avif bmp gif heic heif jpeg jxl png tiff vnd.microsoft.icon webp x-icon"
        " x-ms-bmp",
        "audio": "3gpp aac amr flac midi mp4 mpeg ogg opus vnd.wave wav webm x-aiff x-flac"
        " x-hx-aac-adts x-m4a x-wav",
        "video": "3gpp 3gpp2 mp4 mpeg ogg quicktime webm x-m4v x-matroska x-msvideo",
        "text": "plain",
    }.items()
    for name in names.split()
)
# Pictures that every browser draws, so that a page may show them.
DRAWN_TYPES: Final = frozenset(
    f"image/{name}" for name in ("avif", "bmp", "gif", "jpeg", "png", "webp")
)
# A file opened on its own runs nothing and has no origin. A browser wraps a picture or a
# film in a page of its own, which has to load it and has a style.
CONTENT_POLICY: Final = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"
)
# Without an origin Chromium refuses to fetch a film; there is still no script to use it.
MEDIA_POLICY: Final = f"{CONTENT_POLICY} allow-same-origin"


def download_response(request: HttpRequest, file: File) -> HttpResponseBase:
    """Answer a GET or HEAD of the content of `file`, which the caller may see.

    200, 206 or 304 with the content's headers; else a problem: 400 for an unknown
    `?disposition=`, 412, 416, 500 for damaged content. Damage that is found after the
    answer has begun breaks the connection: the iterator raises.
    """
    disposition = request.GET.get("disposition", "attachment")
    if disposition not in ("attachment", "inline"):
        return problem_response(
            request,
            status=HTTPStatus.BAD_REQUEST,
            code="invalid_parameter",
            detail='"disposition" must be "attachment" or "inline".',
            errors={"disposition": "Either attachment or inline."},
        )
    refusal = refused_by_preconditions(request, etag=file.etag, last_modified=_last_modified(file))
    if refusal == HTTPStatus.PRECONDITION_FAILED:
        return problem_of(
            request,
            VersionMismatchError(
                gettext_noop("The file is not, or no longer, the one you asked for.")
            ),
        )
    if refusal == HTTPStatus.NOT_MODIFIED:
        return _not_modified(file)
    ranges = _ranges(request, file)
    if ranges == []:
        return _not_satisfiable(request, file)
    try:
        return _content_response(request, file, disposition, ranges)
    except (CorruptContentError, ServerBusyError) as error:
        return problem_of(request, error)
    except ObjectDoesNotExist:
        # Deleted since the caller looked it up.
        return problem_of(
            request, FileNotFoundInSpaceError(gettext_noop("There is no file %(id)s."), id=file.pk)
        )


def _ranges(request: HttpRequest, file: File) -> list[ByteRange] | None:
    """Return the ranges to send, an empty list where there are none, None for the whole file."""
    wanted = request.headers.get("Range")
    if wanted is None or request.method != "GET":
        return None
    if not if_range_passes(request, etag=file.etag, last_modified=_last_modified(file)):
        return None
    return parse_range(wanted, file.size)


def _content_response(
    request: HttpRequest, file: File, disposition: str, ranges: Sequence[ByteRange] | None
) -> HttpResponseBase:
    """Return the 200, or the 206 of `ranges`, with the first of its bytes read already."""
    shown, content_type = _shown_as(file, disposition)
    body = ContentBody(file, ranges, content_type)
    status = HTTPStatus.PARTIAL_CONTENT if ranges else HTTPStatus.OK
    headers = (
        _validators_and_policy(file)
        | {
            "Accept-Ranges": "bytes",
            "Content-Disposition": content_disposition(shown, file.name),
            "Repr-Digest": repr_digest(file.hash),
        }
        | body.headers
    )
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    if body.length <= PLAIN_SIZE:
        return HttpResponse(b"".join(body), status=status, headers=headers)
    try:
        body.start()
    except BaseException:
        body.close()
        raise
    return StreamingHttpResponse(body, status=status, headers=headers)


def _shown_as(file: File, disposition: str) -> tuple[Disposition, str]:
    """Return the disposition that `file` gets where `disposition` is wanted, and its type."""
    content_type = file.mime_type or "application/octet-stream"
    if disposition != "inline" or content_type not in INLINE_TYPES:
        return "attachment", content_type
    if content_type == "text/plain" and is_utf8(file):
        content_type += "; charset=utf-8"
    return "inline", content_type


def _validators_and_policy(file: File) -> dict[str, str]:
    """Return what a 200, a 206 and a 304 have in common.

    A 304 changes the headers of the copy that the client has: one that lacked the
    policy would get that of our pages from the middleware, and weaken the copy's.
    """
    is_media = file.mime_type in INLINE_TYPES and file.mime_type.startswith(("audio/", "video/"))
    return {
        # Always asked for again, so that a deleted file is gone for browsers too.
        "Cache-Control": "private, no-cache, no-transform",
        "Content-Security-Policy": MEDIA_POLICY if is_media else CONTENT_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "ETag": file.etag,
        "Last-Modified": http_date(_last_modified(file)),
        "X-Content-Type-Options": "nosniff",
    }


def _last_modified(file: File) -> int:
    """Return when the bytes came, in whole seconds since the epoch."""
    return int(file.upload_date.timestamp())


def _not_modified(file: File) -> HttpResponse:
    # The length the content has: CommonMiddleware would claim that it has none.
    return HttpResponseNotModified(
        headers=_validators_and_policy(file) | {"Content-Length": str(file.size)}
    )


def _not_satisfiable(request: HttpRequest, file: File) -> HttpResponse:
    return problem_response(
        request,
        status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        code="range_not_satisfiable",
        detail=f"The file has {file.size:,} bytes, none of which is in the range asked for.",
        headers={"Accept-Ranges": "bytes", "Content-Range": f"bytes */{file.size}"},
    )
