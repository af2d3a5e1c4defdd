"""POST may bring the first bytes."""

from __future__ import annotations

import os

import pytest

from files.tests.api.tus.raw import COLLECTION, PIECE_TYPE, checksum, read_answer

pytestmark = pytest.mark.live


@pytest.mark.parametrize("size", [1, 5000, 9 << 20])
def test_a_whole_upload_is_taken_at_once(tus, size):
    data = os.urandom(size)
    answer = tus.post({"Upload-Length": str(size)}, data)
    assert (answer.status, answer["Upload-Offset"]) == (201, str(size))
    assert answer["Upload-Expires"] is None
    assert answer.json()["state"] == "stored"
    assert tus.bytes_of(answer["Location"]) == data


@pytest.mark.parametrize("length", ["Upload-Length", "Upload-Defer-Length"])
def test_the_beginning_is_taken_and_gone_on_with(tus, length):
    data = os.urandom(9)
    answer = tus.post({length: "9" if length == "Upload-Length" else "1"}, data[:4])
    assert (answer.status, answer["Upload-Offset"]) == (201, "4")
    path = answer["Location"]
    assert tus.offset(path) == 4
    tus.patch(path, 4, data[4:], {"Upload-Length": "9"})
    assert tus.bytes_of(path) == data


def test_a_partial_upload_may_begin_so_too(tus):
    answer = tus.post({"Upload-Length": "9", "Upload-Concat": "partial"}, os.urandom(9))
    assert (answer.status, answer["Upload-Offset"]) == (201, "9")
    assert tus.state(answer["Location"])["state"] == "receiving"


@pytest.mark.parametrize("kind", [None, "application/octet-stream", "multipart/form-data"])
def test_bytes_of_another_type_are_415(tus, kind):
    answer = tus.post({"Upload-Length": "9", "Content-Type": kind}, b"nine byte")
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_a_request_without_bytes_may_have_any_type(tus):
    headers = {"Upload-Length": "9", "Content-Type": "application/json"}
    assert tus.ask("POST", None, headers, b"").status == 201


def test_more_bytes_than_announced_are_refused(tus):
    answer = tus.post({"Upload-Length": "3"}, b"bytes")
    assert (answer.status, answer.code) == (413, "too_large")
    assert tus.post({"Upload-Length": "0"}, b"bytes").status == 413


def test_a_checksum_is_looked_at(tus):
    data = os.urandom(9)
    right = checksum("sha1", data)
    answer = tus.post({"Upload-Length": "9", "Upload-Checksum": right}, data)
    assert (answer.status, answer["Upload-Offset"]) == (201, "9")
    wrong = tus.post({"Upload-Length": "9", "Upload-Checksum": right}, os.urandom(9))
    assert (wrong.status, wrong.code, wrong["Location"]) == (460, "checksum_mismatch", None)


def test_nothing_is_left_of_what_broke_off(tus, tus_server):
    def uploads() -> int:
        return int(tus_server.query('SELECT COUNT(*) FROM "upload"')[0][0])

    before = uploads()
    headers = {"Upload-Length": "100", "Content-Type": PIECE_TYPE, "Content-Length": "100"}
    with tus.open("POST", COLLECTION, headers) as connection:
        connection.sendall(b"x" * 30)
        connection.shutdown(1)
        answer = read_answer(connection)
    # Nobody knows its address, as there was no answer that could tell it.
    assert (answer.status, answer.code, uploads()) == (400, "body_cut_short", before)


@pytest.mark.parametrize(
    ("header", "status"),
    [({"Upload-Length": "x"}, 400), ({"Upload-Length": "5"}, 413), ({"Tus-Resumable": "2"}, 412)],
)
def test_a_refusal_comes_before_the_bytes_are_asked_for(tus, header, status):
    headers = {
        "Upload-Length": "100",
        "Content-Type": PIECE_TYPE,
        "Content-Length": "100",
        "Expect": "100-continue",
        **header,
    }
    with tus.open("POST", COLLECTION, headers) as connection:
        assert connection.recv(12) == b"HTTP/1.1 %d" % status


def test_bytes_are_asked_for_where_they_are_expected(tus):
    headers = {
        "Upload-Length": "100",
        "Content-Type": PIECE_TYPE,
        "Content-Length": "100",
        "Expect": "100-continue",
    }
    with tus.open("POST", COLLECTION, headers) as connection:
        assert connection.recv(12) == b"HTTP/1.1 100"
        connection.sendall(os.urandom(100))
        while b"201 Created" not in connection.recv(4096):
            pass
