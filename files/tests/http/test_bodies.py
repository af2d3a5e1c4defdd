from __future__ import annotations

import io

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import RequestFactory

from files.exceptions import BodyCutShortError
from files.http import bodies
from files.http.bodies import RequestBody, drain_after


class Stream(io.BytesIO):
    """A body that tells how much of it was read, and with how long a wait for each byte."""

    def __init__(self, data, clock=None):
        super().__init__(data)
        self.clock = clock

    def read(self, size=-1):
        assert size >= 0, "an unbounded read collects the whole body in memory"
        data = super().read(size)
        if self.clock is not None:
            self.clock.now += len(data)
        return data


class Clock:
    """Seconds, moved by hand."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture(autouse=True)
def _no_database():
    """Let a response be closed without a look at the database, as Django's test client does."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


def request_with(data, *, length="", clock=None, **meta):
    request_meta = {"wsgi.input": Stream(data, clock), "CONTENT_LENGTH": str(length), **meta}
    return RequestFactory().post("/upload", **request_meta)


def chunked(data, **meta):
    return request_with(
        data, **{"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, **meta}
    )


def left_in(request):
    return len(request.META["wsgi.input"].getvalue()) - request.META["wsgi.input"].tell()


@pytest.mark.parametrize("size", [0, 1, bodies.BLOCK_SIZE, bodies.BLOCK_SIZE + 1, 3_000_000])
def test_body_comes_whole_in_bounded_blocks(size):
    data = bytes(range(256)) * (size // 256 + 1)
    request = request_with(data[:size], length=size)
    body = RequestBody(request)
    blocks = list(body)
    assert b"".join(blocks) == data[:size]
    assert body.length == body.received == size
    assert all(len(block) <= bodies.BLOCK_SIZE for block in blocks)


def test_nothing_is_read_beyond_the_announced_length():
    request = request_with(b"0123456789the next request", length=10)
    assert b"".join(RequestBody(request)) == b"0123456789"
    assert left_in(request) == len(b"the next request")


def test_cut_body_is_an_error_with_the_numbers():
    with pytest.raises(BodyCutShortError, match="announced 1000 bytes, 400 came"):
        list(RequestBody(request_with(b"x" * 400, length=1000)))


def test_broken_connection_is_a_cut_body():
    request = request_with(b"", length=10)

    def read(size):
        raise OSError("connection reset")

    request.META["wsgi.input"].read = read
    request._stream._read = read
    with pytest.raises(BodyCutShortError, match="announced 10 bytes, 0 came"):
        list(RequestBody(request))


def test_chunked_body_is_read_to_its_end():
    body = RequestBody(chunked(b"x" * 1_000_000))
    assert body.length is None
    assert sum(map(len, body)) == 1_000_000


def test_framed_body_without_length_is_read_to_its_end():
    request = request_with(b"abc", SERVER_PROTOCOL="HTTP/2", **{"wsgi.input_terminated": True})
    assert b"".join(RequestBody(request)) == b"abc"


def test_body_without_length_is_empty():
    body = RequestBody(request_with(b"the next request"))
    assert (body.length, list(body)) == (0, [])


def test_nothing_is_drained_before_the_answer_was_sent():
    request = request_with(b"x" * 1000, length=1000)
    response = HttpResponse()
    drain_after(request, response)
    assert left_in(request) == 1000
    response.close()
    assert left_in(request) == 0


@pytest.mark.parametrize("make", [chunked, lambda data: request_with(data, length=len(data))])
def test_draining_ends_at_one_mebibyte(make):
    request = make(b"x" * 3_000_000)
    response = HttpResponse()
    drain_after(request, response)
    response.close()
    assert left_in(request) == 3_000_000 - bodies.DRAIN_SIZE


def test_draining_a_slow_client_ends_soon(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(bodies, "time", clock)
    request = request_with(b"x" * 1000, length=1000, clock=clock)
    response = HttpResponse()
    drain_after(request, response)
    response.close()
    assert clock.now <= 2 * bodies.DRAIN_TIME_S


def test_client_that_waits_to_be_told_is_left_alone():
    request = request_with(b"x" * 1000, length=1000, HTTP_EXPECT="100-continue")
    response = HttpResponse()
    drain_after(request, response)
    response.close()
    assert left_in(request) == 1000


def test_client_that_was_told_to_go_on_is_drained():
    request = request_with(b"x" * 600_000, length=600_000, HTTP_EXPECT="100-continue")
    next(iter(RequestBody(request)))
    response = HttpResponse()
    drain_after(request, response)
    response.close()
    assert left_in(request) == 0


def test_body_that_was_read_is_not_fed_to_djangos_parser():
    request = request_with(b"a=1&b=2", length=7, CONTENT_TYPE="application/x-www-form-urlencoded")
    next(iter(RequestBody(request)))
    assert not request.POST
