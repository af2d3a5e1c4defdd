"""The bytes of a request's body: read once, in blocks, never beyond the announced end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from files.exceptions import BodyCutShortError, gettext_noop

logger = logging.getLogger(__name__)

# With granian 64 KiB to 1 MiB are equally fast; each receiving thread holds about two.
BLOCK_SIZE = 256 << 10

DRAIN_SIZE = 1 << 20  # bytes
DRAIN_TIME_S = 2.0

# Bodies drained at a time; far fewer than the threads kept for short requests.
_drains = threading.BoundedSemaphore(8)

# Set in request.META as soon as reading began.
_STARTED = "files.body_started"


class RequestBody:
    """The body of a request as an iterator of blocks of at most 64 KiB.

    `length` is what the client announced in bytes, None when it sends chunks. Reading
    waits for the client without time-out; the server cuts stalled connections.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.length = body_length(request)
        self.received = 0  # bytes
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks; raises BodyCutShortError when the client stops too early."""
        while block := self._read():
            self.received += len(block)
            yield block
        if self.length is not None and self.received < self.length:
            raise self._cut_short()

    def _read(self) -> bytes:
        try:
            return read_body(self._request, BLOCK_SIZE)
        except OSError as error:
            raise self._cut_short() from error

    def _cut_short(self) -> BodyCutShortError:
        if self.length is None:
            return BodyCutShortError(
                gettext_noop("The request announced more, %(received)s came."),
                received=self.received,
            )
        return BodyCutShortError(
            gettext_noop("The request announced %(length)s bytes, %(received)s came."),
            length=self.length,
            received=self.received,
        )


def body_length(request: HttpRequest) -> int | None:
    """Return the announced length of the body in bytes, None if only its end will tell."""
    if text := request.headers.get("content-length"):
        return int(text) if text.isdecimal() else 0
    return None if _ends_by_itself(request) else 0


def read_body(request: HttpRequest, size: int) -> bytes:
    """Return the next bytes of the body, `size` of them but at its end; b"" behind it."""
    request.META[_STARTED] = True
    if body_length(request) is None:
        # Django takes a body without Content-Length for an empty one.
        block: bytes = request.META["wsgi.input"].read(size)
        return block
    return request.read(size)


def drain_after(request: HttpRequest, response: HttpResponseBase) -> None:
    """Make `response` read what is left of the body once it was sent, up to 1 MiB or 2 s.

    A connection closed on unread bytes is reset, and the client may never see the
    answer. A client that waits for "100 Continue" has sent nothing, and is left alone.
    """
    if body_length(request) == 0 or (
        request.headers.get("expect", "").lower() == "100-continue" and _STARTED not in request.META
    ):
        return
    # The server calls these when the last block is on its way, the connection still open.
    response._resource_closers.append(lambda: _drain_in_turn(request))  # type: ignore[attr-defined]


def _drain_in_turn(request: HttpRequest) -> None:
    """Drain unless too many do: each may hold its thread until a silent client is cut off.

    Not in a thread apart: granian's body deadlocked the process when read from one.
    """
    if not _drains.acquire(blocking=False):
        return
    try:
        _drain(request)
    except OSError:
        logger.debug("A refused body broke off", exc_info=True)
    finally:
        _drains.release()


def _drain(request: HttpRequest) -> None:
    deadline = time.monotonic() + DRAIN_TIME_S
    left = DRAIN_SIZE
    # A read waits for all it asks for: growing steps keep a slow client from
    # holding this thread for much longer than the deadline.
    step = 1
    while left > 0 and time.monotonic() < deadline:
        block = read_body(request, min(step, left))
        if not block:
            return
        left -= len(block)
        step = min(2 * step, BLOCK_SIZE)


def _ends_by_itself(request: HttpRequest) -> bool:
    is_framed = request.META.get("SERVER_PROTOCOL", "").startswith(("HTTP/2", "HTTP/3"))
    return bool(request.META.get("wsgi.input_terminated")) and (
        is_framed or "transfer-encoding" in request.headers
    )
