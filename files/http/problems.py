"""Every refusal as an answer: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, JsonResponse

from files import exceptions

# Of tus 1.0.0; no RFC knows it.
CHECKSUM_MISMATCH: Final = 460

# The one table; a class that is not in it is answered as its nearest base.
STATUS: Final[Mapping[type[exceptions.FilesError], int]] = {
    exceptions.FilesError: HTTPStatus.INTERNAL_SERVER_ERROR,
    exceptions.InvalidUploadError: HTTPStatus.BAD_REQUEST,
    exceptions.ChecksumMismatchError: CHECKSUM_MISMATCH,
    exceptions.InvalidFieldsError: HTTPStatus.BAD_REQUEST,
    exceptions.InvalidRequestError: HTTPStatus.BAD_REQUEST,
    exceptions.RequestTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    exceptions.UnsupportedEncodingError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    exceptions.UnsupportedTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    exceptions.UnsupportedVersionError: HTTPStatus.PRECONDITION_FAILED,
    exceptions.LengthRequiredError: HTTPStatus.LENGTH_REQUIRED,
    exceptions.FileTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    exceptions.StorageFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    exceptions.DuplicateFileError: HTTPStatus.CONFLICT,
    exceptions.FileNotFoundInSpaceError: HTTPStatus.NOT_FOUND,
    exceptions.VersionMismatchError: HTTPStatus.PRECONDITION_FAILED,
    exceptions.UploadConflictError: HTTPStatus.CONFLICT,
    exceptions.UploadExpiredError: HTTPStatus.GONE,
    exceptions.UploadFinalError: HTTPStatus.FORBIDDEN,
    exceptions.TooManyUploadsError: HTTPStatus.TOO_MANY_REQUESTS,
    exceptions.AuthenticationRequiredError: HTTPStatus.UNAUTHORIZED,
    exceptions.AccessDeniedError: HTTPStatus.FORBIDDEN,
    exceptions.ServerBusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    exceptions.StorageBusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    exceptions.CorruptContentError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

# Where RFC 9110 says it otherwise than Python 3.11, or Python knows nothing of it.
_TITLES: Final[Mapping[int, str]] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Range Not Satisfiable",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
    CHECKSUM_MISMATCH: "Checksum Mismatch",
}

# What an answer of this status has to carry.
_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="files"'},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "5"},  # seconds
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "60"},
}


def status_of(error: exceptions.FilesError) -> int:
    """Return the HTTP status that `error` is answered with."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def title_of(status: int) -> str:
    """Return the title of every problem with this status: the status's own name."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def headers_of(status: int) -> Mapping[str, str]:
    """Return the headers that an answer of this status has to carry, page or problem."""
    return _HEADERS.get(status, {})


def wants_html(request: HttpRequest) -> bool:
    """Tell whether a page is wanted rather than JSON; a program that takes anything gets JSON."""
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"


def problem_response(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> JsonResponse:
    """Return a problem; `code` is the stable name of it, `extra` its further members.

    Its type is "about:blank": nothing is to be found at an address of its own, and
    programs tell problems apart by `code`.
    """
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": title or title_of(status),
        "status": int(status),
        "detail": detail,
        "code": code,
    }
    if request_id := getattr(request, "request_id", None):
        problem["request_id"] = str(request_id)
    return JsonResponse(
        problem | extra,
        status=int(status),
        reason=_TITLES.get(status),
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **headers_of(status), **(headers or {})},
    )


def problem_of(request: HttpRequest, error: exceptions.FilesError, **extra: Any) -> JsonResponse:
    """Return the problem that tells of `error`, in its own words."""
    return problem_response(
        request, status=status_of(error), code=error.code, detail=str(error), **extra
    )
