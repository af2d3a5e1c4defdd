"""Headers and parameters of resumable uploads, as components of the document."""

from __future__ import annotations

from typing import Final

from files.api.schema.parts import Json, header, parameter
from files.http.tus_answers import EXTENSIONS
from files.http.tus_headers import CHECKSUMS, MAX_METADATA, VERSION

ID = "3f0c6a5e0d1b4f6f9a7c2e8d5b4a1c90"
METADATA = "filename cmVwb3J0LnBkZg==,folder MjAyNi9zcHJpbmc="
EXPIRY = "Sun, 08 Mar 2026 12:00:00 GMT"
CHECKSUM = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="
_BYTES: Final[Json] = {"type": "integer", "format": "int64", "minimum": 0}


def _number(description: str, example: int) -> Json:
    return {"description": description, "schema": _BYTES, "example": example}


UPLOAD_HEADERS: Final[dict[str, Json]] = {
    "Tus-Resumable": header("The version of the protocol.", VERSION, const=VERSION),
    "Tus-Version": header("The versions that are spoken here.", VERSION),
    "Tus-Extension": header("The extensions that are spoken here.", ",".join(EXTENSIONS)),
    "Tus-Checksum-Algorithm": header("What `Upload-Checksum` takes.", ",".join(CHECKSUMS)),
    "Tus-Max-Size": _number("Bytes of the longest upload, where there is a limit.", 10_000_000_000),
    "Upload-Offset": _number("Bytes that are here; left out while parts are put together.", 16384),
    "Upload-Length": _number("Bytes of the whole upload, once that is told.", 48213),
    "Upload-Defer-Length": header("The length is not told yet.", "1", const="1"),
    "Upload-Metadata": header("As it was sent.", METADATA),
    "Upload-Concat": header("As it was sent.", "partial"),
    "Upload-Expires": header("Until when it is kept; left out when it is finished.", EXPIRY),
    "Cache-Control": header("`no-store`: it may change at any moment.", "no-store"),
}


def _header(name: str, description: str, schema: Json, *, required: bool = False) -> Json:
    return parameter(name, "header", description, schema, required=required)


UPLOAD_PARAMETERS: Final[dict[str, Json]] = {
    "upload_id": parameter(
        "upload_id",
        "path",
        "The upload's `id`.",
        {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        required=True,
        example=ID,
    ),
    "Tus-Resumable": _header(
        "Tus-Resumable",
        "The version of the protocol that the client speaks.",
        {"const": VERSION, "type": "string"},
        required=True,
    ),
    "Upload-Length": _header(
        "Upload-Length", "Bytes of the whole upload; this or `Upload-Defer-Length`.", _BYTES
    ),
    "Upload-Length-Deferred": _header(
        "Upload-Length", "Bytes of the whole upload, where that was not told before.", _BYTES
    ),
    "Upload-Defer-Length": _header(
        "Upload-Defer-Length",
        "`1`: the length is told later, by a `PATCH`.",
        {"const": "1", "type": "string"},
    ),
    "Upload-Metadata": _header(
        "Upload-Metadata",
        "Keys, each with a value in base64: `filename` (or `name`), `folder`, or `relativePath`"
        f" with the folder in it; others are kept. `{METADATA}`",
        {"type": "string", "maxLength": MAX_METADATA},
    ),
    "Upload-Concat": _header(
        "Upload-Concat",
        "`partial`: a part of another upload, and never a file. `final;` and the addresses of"
        " complete partial uploads, with spaces between them: the file that they make together.",
        {"type": "string", "pattern": "^(partial|final;.+)$"},
    ),
    "Upload-Offset": _header(
        "Upload-Offset", "Where the bytes belong: how many are here.", _BYTES, required=True
    ),
    "Upload-Checksum": _header(
        "Upload-Checksum",
        f"Algorithm and base64 of the digest of this piece. `{CHECKSUM}`",
        {"type": "string", "pattern": "^(sha1|sha256) [A-Za-z0-9+/]+={0,2}$"},
    ),
}
