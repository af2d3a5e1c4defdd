"""What answers tell by the headers of tus 1.0.0."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.utils.http import http_date

from files.http.tus_headers import CHECKSUMS, VERSION
from files.models import Upload

EXTENSIONS: Final = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "expiration",
    "checksum",
    "termination",
    "concatenation",
)


def server_headers() -> dict[str, str]:
    """Return what OPTIONS tells of this server."""
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    if settings.FILESERVER_MAX_UPLOAD_SIZE is not None:
        headers["Tus-Max-Size"] = str(settings.FILESERVER_MAX_UPLOAD_SIZE)
    return headers


def progress_headers(upload: Upload) -> dict[str, str]:
    """Return how far an upload is, and until when that is kept."""
    headers = {}
    # Of one that is being put together no offset is defined.
    if not (upload.is_final and upload.is_receiving):
        headers["Upload-Offset"] = str(upload.offset)
    if upload.is_receiving:
        headers["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return headers


def concat_headers(upload: Upload) -> dict[str, str]:
    """Return what an upload has to do with others, as it was told."""
    return {"Upload-Concat": upload.concat} if upload.concat else {}


def upload_headers(upload: Upload) -> dict[str, str]:
    """Return all that is told of an upload, never to be cached."""
    headers = {"Cache-Control": "no-store"} | progress_headers(upload) | concat_headers(upload)
    if upload.size is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(upload.size)
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return headers
