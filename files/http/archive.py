"""Answers with a ZIP archive of files, made while it is sent.

Entry point: archive_response. Its length is known beforehand, so that clients show how
far they are and see where it was cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from files.http.content_body import PLAIN_SIZE
from files.http.disposition import content_disposition
from files.http.download import CONTENT_POLICY
from files.http.slots import transfer_slots
from files.services.archive import Archive


class ArchiveBody:
    """Iterates over a planned archive once, holding a transfer's slot.

    `close` gives slot and temporary files back; the response calls it, also when the
    client has gone away.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._blocks = iter(archive)
        self._first = b""
        self._held = ExitStack()
        self._held.callback(archive.close)

    def plan(self) -> None:
        """Plan the archive; raises ServerBusyError where too many transfers are under way."""
        self._held.enter_context(transfer_slots.take())
        self._archive.plan()

    def start(self) -> None:
        """Read the first block, so that damage there raises while there is no answer yet."""
        self._first = next(self._blocks, b"")

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        self._first = b""
        yield from self._blocks

    def close(self) -> None:
        self._held.close()


def archive_response(request: HttpRequest, archive: Archive, filename: str) -> HttpResponseBase:
    """Answer with the archive, not yet planned, as a download named `filename`.

    200, without a body for HEAD. Raises InvalidFilterError for too many files,
    CorruptContentError for damage found before the answer began, ServerBusyError,
    StorageFullError. Damage that is found later breaks the connection: the iterator
    raises.
    """
    body = ArchiveBody(archive)
    try:
        return _response(request, archive, body, filename)
    except BaseException:
        body.close()
        raise


def _response(
    request: HttpRequest, archive: Archive, body: ArchiveBody, filename: str
) -> HttpResponseBase:
    body.plan()
    headers = {
        "Accept-Ranges": "none",
        "Cache-Control": "no-store",
        "Content-Disposition": content_disposition("attachment", filename),
        "Content-Length": str(archive.length),
        "Content-Security-Policy": CONTENT_POLICY,
        "Content-Type": "application/zip",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if request.method == "HEAD":
        body.close()
        return HttpResponse(headers=headers)
    body.start()
    if archive.length > PLAIN_SIZE:
        return StreamingHttpResponse(body, headers=headers)
    data = b"".join(body)
    body.close()
    return HttpResponse(data, headers=headers)
