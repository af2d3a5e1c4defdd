"""Headers and parameters that operations have in common, as components of the document."""

from __future__ import annotations

from typing import Any, Final

import django_filters
from django.conf import settings

from files.api.selection import MAX_IDS
from files.api.viewsets.file import MAX_PAGE_SIZE, PAGE_SIZE
from files.api.viewsets.stats import DEFAULT_DAYS, MAX_DAYS
from files.filters import FileFilter, IntegerFilter, MomentFilter, RepeatedFilter
from files.models import ORDERINGS

Json = dict[str, Any]

PLAIN, FILES, UPLOADS = "Plain routes", "Files", "Resumable uploads"
LABELS, FIGURES, PROBES = "Labels", "Figures", "Probes"

# No database looks for NUL.
TEXT: Final[Json] = {"type": "string", "pattern": "^[^\\u0000]*$"}
TAG = '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"'
DIGEST = "sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:"

# What each filter asks for, as the end of "files …".
FILTERS: Final = {
    "q": "Whose name, or a label of which, contains this.",
    "name": "With exactly this name.",
    "folder": "In exactly this folder.",
    "suffix": "Of this type (`pdf`); several for any of them, empty for files without a suffix.",
    "mime_type": "With exactly this type of content.",
    "min_size": "Of at least this many bytes.",
    "max_size": "Of at most this many bytes.",
    "uploaded_after": "From this moment on; a date alone is its first moment in UTC.",
    "uploaded_before": "Before this moment.",
    "owner": "Of the user with this id.",
    "label": "With this label; several for any of them.",
}


def header(description: str, example: str, **schema: Any) -> Json:
    """Return a header of an answer."""
    return {
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


HEADERS: Final[dict[str, Json]] = {
    "Accept-Ranges": header("`bytes`: ranges may be asked for.", "bytes"),
    "Content-Disposition": header(
        "The name to save it under (RFC 6266).", 'attachment; filename="report.pdf"'
    ),
    "Content-Range": header("Which bytes of how many these are.", "bytes 0-99/48213"),
    "ETag": header("Names the content, or the version of what is said of the file.", TAG),
    "Last-Modified": header("When the bytes came.", "Sun, 01 Mar 2026 12:00:00 GMT"),
    "Location": header(
        "Where what was made is.", "http://127.0.0.1:8000/api/v1/files/1/", format="uri-reference"
    ),
    "Repr-Digest": header("The SHA-256 of the whole file (RFC 9530).", DIGEST),
    "Retry-After": {
        "description": "When to come back, in seconds.",
        "schema": {"type": "integer"},
        "example": 5,
    },
    "WWW-Authenticate": header("That an account is needed.", 'Bearer realm="files"'),
    "X-Request-ID": header(
        "Names the request in the server's log.", "0f8fad5bd9cb469fa165708f7a2e3f5c"
    ),
}


def parameter(name: str, place: str, description: str, schema: Json, **more: Any) -> Json:
    """Return a parameter that is somewhere in a request."""
    return {"name": name, "in": place, "description": description, "schema": schema, **more}


def _query(name: str, description: str, schema: Json, **more: Any) -> Json:
    return parameter(name, "query", description, schema, **more)


def _request_header(name: str, description: str, example: str) -> Json:
    # Not as an example, which Swagger UI would send with every request.
    return parameter(name, "header", f"{description} `{example}`", {"type": "string"})


def _identity(name: str, description: str) -> Json:
    schema = {"type": "integer", "format": "int64", "minimum": 0}
    return parameter(name, "path", description, schema, required=True, example=1)


def _filter(name: str, kind: django_filters.Filter) -> Json:
    """Return the parameter for one filter of the list."""
    told = _query(name, FILTERS[name], TEXT)
    if isinstance(kind, RepeatedFilter):
        many: Json = {"type": "array", "items": TEXT}
        return told | {"schema": many, "style": "form", "explode": True}
    if isinstance(kind, IntegerFilter):
        return told | {"schema": {"type": "integer", "format": "int64"}, "allowEmptyValue": True}
    if isinstance(kind, MomentFilter):
        forms: list[Json] = [{"format": "date-time"}, {"format": "date"}]
        return told | {"schema": {"type": "string", "anyOf": forms}, "allowEmptyValue": True}
    return told


_FILTERS: Final = {name: _filter(name, kind) for name, kind in FileFilter.base_filters.items()}
_ORDERINGS: Final = [sign + name for name in ORDERINGS for sign in ("-", "")]
_CURSOR: Final[Json] = {"type": "string", "format": "cursor"}

PARAMETERS: Final[dict[str, Json]] = _FILTERS | {
    "ordering": _query(
        "ordering",
        "In which order; `-` for descending.",
        {"type": "string", "enum": _ORDERINGS, "default": "-upload_date"},
    ),
    "id": _query(
        "id",
        "The `id` of a file; several for all of them, of which filters leave some out. An address"
        f" or a form takes {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} parameters, JSON {MAX_IDS:,}"
        " ids.",
        {"type": "array", "items": {"type": "integer", "format": "int64", "minimum": 1}},
        style="form",
        explode=True,
    ),
    "page_size": _query(
        "page_size",
        "How many files a page has at most.",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
    ),
    "after": _query("after", "As `next` has it: the files behind this place.", _CURSOR),
    "before": _query("before", "As `previous` has it: the files before this place.", _CURSOR),
    "days": _query(
        "days",
        "How many days `days` goes back.",
        {"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "default": DEFAULT_DAYS},
    ),
    "disposition": _query(
        "disposition",
        "`inline` shows pictures, sound, films and plain text in the browser; all else is saved.",
        {"type": "string", "enum": ["attachment", "inline"], "default": "attachment"},
    ),
    "file_id": _identity("file_id", "The file's `id`."),
    "label_id": _identity("label_id", "The label's `id`."),
    "path_name": parameter(
        "name",
        "path",
        "The file's name; what stands before the last slash is dropped.",
        {"type": "string"},
        required=True,
        example="report.pdf",
    ),
    "If-Match": _request_header(
        "If-Match", "Go on only if the file is this one, or in this version.", TAG
    ),
    "If-None-Match": _request_header("If-None-Match", "Answer 304 if it is still this one.", TAG),
    "If-Modified-Since": _request_header(
        "If-Modified-Since",
        "Answer 304 if the bytes are not newer.",
        "Sun, 01 Mar 2026 12:00:00 GMT",
    ),
    "If-Unmodified-Since": _request_header(
        "If-Unmodified-Since",
        "Go on only if the bytes are not newer.",
        "Sun, 01 Mar 2026 12:00:00 GMT",
    ),
    "If-Range": _request_header("If-Range", "Send all unless it is still this one.", TAG),
    "Range": _request_header("Range", "Which bytes to send (RFC 9110).", "bytes=0-99"),
    "Repr-Digest": _request_header(
        "Repr-Digest",
        "The file's SHA-256: other bytes are refused, known ones before they are read.",
        DIGEST,
    ),
    "Content-Digest": _request_header("Content-Digest", "The body's SHA-256.", DIGEST),
}
FILTER_PARAMETERS: Final = tuple(_FILTERS)
LIST_PARAMETERS: Final = (*FILTER_PARAMETERS, "ordering")
# The parameters of an archive as the fields of a body.
SELECTION: Final[Json] = {
    "type": "object",
    "description": "Which files: with these ids; without ids, those that the filters find.",
    "properties": {
        name: {"description": PARAMETERS[name]["description"]} | PARAMETERS[name]["schema"]
        for name in ("id", *FILTER_PARAMETERS)
    },
    "additionalProperties": False,
}
SECURITY_SCHEMES: Final[dict[str, Json]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "Signed in at `/admin/login/`.",
    },
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRFToken",
        "description": (
            "Where a session is used, a change needs the page's token, which the cookie"
            f" `{settings.CSRF_COOKIE_NAME}` vouches for."
        ),
    },
}
TAGS: Final[list[Json]] = [
    {"name": PLAIN, "description": "For scripts: four short addresses that never change."},
    {"name": FILES, "description": "The files that the caller may know of."},
    {
        "name": UPLOADS,
        "description": (
            "Uploads that go on after a break, by the protocol [tus 1.0.0]"
            "(https://tus.io/protocols/resumable-upload) with all its extensions but"
            " `checksum-trailer` and `concatenation-unfinished`. Where `PATCH`, `DELETE` or `HEAD`"
            " cannot be sent, `X-HTTP-Method-Override` names the method of a `POST`."
        ),
    },
    {"name": LABELS, "description": "Words to put on files."},
    {"name": FIGURES, "description": "Numbers and bytes of files, counted."},
    {"name": PROBES, "description": "For whoever keeps the server running."},
]
