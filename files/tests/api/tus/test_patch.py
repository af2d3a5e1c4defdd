"""PATCH adds bytes, whole or not at all where that is asked for."""

from __future__ import annotations

import os

import pytest

from files.tests.api.tus.raw import COLLECTION, PIECE_TYPE, read_answer
from files.tests.running_server import wait_until

pytestmark = pytest.mark.live

MIB = 1 << 20
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "sizes", [[1], [3000], [1, 2047, 1], [2048, 1], [MIB, MIB - 1, 3], [9 * MIB + 1, 5, 9 * MIB]]
)
def test_bytes_are_applied_at_the_offset(tus, sizes):
    data, offset = os.urandom(sum(sizes)), 0
    path = tus.create(len(data))
    for size in sizes:
        answer = tus.patch(path, offset, data[offset : offset + size])
        offset += size
        assert answer.status == 204
        assert answer["Upload-Offset"] == str(offset)
        assert answer["Content-Length"] is None
    assert tus.bytes_of(path) == data


def test_a_piece_in_chunks_is_taken_to_its_end(tus):
    data = os.urandom(300_000)
    path = tus.create(len(data))
    headers = {
        "Content-Type": PIECE_TYPE,
        "Upload-Offset": "0",
        "Transfer-Encoding": "chunked",
    }
    with tus.open("PATCH", path, headers) as connection:
        for start in range(0, len(data), 100_000):
            block = data[start : start + 100_000]
            connection.sendall(b"%x\r\n%b\r\n" % (len(block), block))
        connection.sendall(b"0\r\n\r\n")
        answer = read_answer(connection)
    assert (answer.status, answer["Upload-Offset"]) == (204, "300000")
    assert tus.bytes_of(path) == data


def test_a_piece_may_be_empty(tus):
    path = tus.create(5)
    answer = tus.patch(path, 0, b"")
    assert (answer.status, answer["Upload-Offset"]) == (204, "0")


@pytest.mark.parametrize(
    "kind", [None, "", "application/octet-stream", "text/plain", PIECE_TYPE + "s"]
)
def test_another_type_is_415(tus, kind):
    path = tus.create(5)
    answer = tus.patch(path, 0, b"bytes", {"Content-Type": kind})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert tus.offset(path) == 0


def test_an_encoded_piece_is_415(tus):
    path = tus.create(5)
    answer = tus.patch(path, 0, b"bytes", {"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (415, "unsupported_encoding")
    assert tus.offset(path) == 0


@pytest.mark.parametrize("offset", ["0", "4", "6", "10", "9" * 18, "9" * 25, "9" * 5000])
def test_another_offset_is_409_and_changes_nothing(tus, offset):
    data = os.urandom(10)
    path = tus.create(10)
    tus.patch(path, 0, data[:5])
    answer = tus.patch(path, 0, data[5:], {"Upload-Offset": offset})
    assert (answer.status, answer.code, answer["Upload-Offset"]) == (409, "upload_conflict", "5")
    assert tus.offset(path) == 5
    tus.patch(path, 5, data[5:])
    assert tus.bytes_of(path) == data


def test_an_upload_that_is_not_there_is_404(tus):
    answer = tus.patch(f"{COLLECTION}{'0' * 32}/", 0, b"bytes")
    assert (answer.status, answer.code, answer["Upload-Offset"]) == (404, "not_found", None)


def test_more_bytes_than_announced_are_refused(tus):
    path = tus.create(5)
    answer = tus.patch(path, 0, b"bytes and more")
    assert (answer.status, answer.code) == (413, "too_large")
    assert tus.offset(path) == 0


def test_a_finished_upload_takes_no_more(tus):
    data = os.urandom(5)
    path = tus.create(5)
    tus.patch(path, 0, data)
    assert tus.patch(path, 5, b"more").status == 413
    assert tus.patch(path, 0, data).status == 409
    assert tus.bytes_of(path) == data


@pytest.mark.parametrize("came", [1, 2049, 700_000, 11 * MIB])
def test_what_came_of_a_piece_that_breaks_off_is_kept(tus, came):
    data = os.urandom(came + 1000)
    path = tus.create(len(data))
    with tus.begin_patch(path, 0, len(data)) as connection:
        connection.sendall(data[:came])
    wait_until(lambda: tus.offset(path) == came, timeout_s=20)
    assert tus.patch(path, came, data[came:]).status == 204
    assert tus.bytes_of(path) == data


def test_a_client_that_only_stops_sending_is_told(tus):
    path = tus.create(100)
    with tus.begin_patch(path, 0, 100) as connection:
        connection.sendall(b"x" * 30)
        connection.shutdown(1)
        answer = read_answer(connection)
    assert (answer.status, answer.code) == (400, "body_cut_short")
    assert tus.offset(path) == 30


def test_the_later_of_two_writers_goes_on(tus):
    data = os.urandom(3 * MIB)
    path = tus.create(len(data))
    with tus.begin_patch(path, 0, len(data), Expect="100-continue") as first:
        # It is the writer when it asks for the bytes.
        assert first.recv(len(CONTINUE)) == CONTINUE
        first.sendall(data[:MIB])
        # While the first is silent; nobody waits for it.
        assert tus.patch(path, 0, data[: 2 * MIB]).status == 204
        first.sendall(b"x" * (len(data) - MIB))
        answer = read_answer(first)
    assert (answer.status, answer.code) == (409, "upload_conflict")
    assert tus.offset(path) == 2 * MIB
    tus.patch(path, 2 * MIB, data[2 * MIB :])
    assert tus.bytes_of(path) == data


def test_a_refusal_comes_before_the_bytes_are_asked_for(tus):
    path = tus.create(100)
    for headers in ({"Upload_Offset": "7"}, {"Content_Type": "text/plain"}, {"Tus_Resumable": "2"}):
        with tus.begin_patch(path, 0, 100, Expect="100-continue", **headers) as connection:
            first = connection.recv(12)
        assert first in (b"HTTP/1.1 409", b"HTTP/1.1 415", b"HTTP/1.1 412")


def test_bytes_are_asked_for_where_they_are_expected(tus):
    data = os.urandom(100)
    path = tus.create(100)
    with tus.begin_patch(path, 0, 100, Expect="100-continue") as connection:
        assert connection.recv(12) == b"HTTP/1.1 100"
        connection.sendall(data)
        while b"204 No Content" not in connection.recv(4096):
            pass
    assert tus.bytes_of(path) == data


def test_a_client_that_sends_on_sees_the_refusal(tus):
    path = tus.create(MIB)
    for _ in range(5):
        answer = tus.patch(path, 1, b"x" * (MIB - 1))
        assert (answer.status, answer["Upload-Offset"]) == (409, "0")
