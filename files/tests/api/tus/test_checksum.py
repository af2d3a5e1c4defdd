"""A piece with a checksum is kept whole or not at all."""

from __future__ import annotations

import os

import pytest

from files.tests.api.tus.raw import checksum, read_answer

pytestmark = pytest.mark.live


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("size", [0, 5, 9 << 20])
def test_a_piece_with_the_right_checksum_is_kept(tus, algorithm, size):
    data, last = os.urandom(size), os.urandom(9)
    path = tus.create(size + 9)
    answer = tus.patch(path, 0, data, {"Upload-Checksum": checksum(algorithm, data)})
    assert (answer.status, answer["Upload-Offset"]) == (204, str(size))
    tus.patch(path, size, last, {"Upload-Checksum": checksum(algorithm, last)})
    assert tus.bytes_of(path) == data + last


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("before", [0, 3000, 9 << 20])
@pytest.mark.parametrize("size", [5, 9 << 20])
def test_a_piece_with_another_checksum_leaves_no_trace(tus, algorithm, before, size):
    data = os.urandom(before + size)
    path = tus.create(len(data))
    tus.patch(path, 0, data[:before])
    wrong = {"Upload-Checksum": checksum(algorithm, b"other bytes")}
    answer = tus.patch(path, before, os.urandom(size), wrong)
    assert (answer.status, answer.code) == (460, "checksum_mismatch")
    assert answer.json()["title"] == "Checksum Mismatch"
    assert tus.offset(path) == before
    tus.patch(path, before, data[before:])
    assert tus.bytes_of(path) == data


@pytest.mark.parametrize("came", [30, 9 << 20])
def test_a_piece_with_a_checksum_that_breaks_off_leaves_no_trace(tus, came):
    path = tus.create(came + 6)
    tus.patch(path, 0, b"bytes")
    told = {"Upload_Checksum": checksum("sha1", b"any")}
    with tus.begin_patch(path, 5, came + 1, **told) as connection:
        connection.sendall(os.urandom(came))
        connection.shutdown(1)
        answer = read_answer(connection)
    assert (answer.status, answer.code) == (400, "body_cut_short")
    assert tus.offset(path) == 5


@pytest.mark.parametrize(
    "sent",
    [
        "md5 CY9rzUYh03PK3k6DJie09g==",
        "crc32 AAAAAA==",
        "SHA1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha1",
        "",
        "sha1  2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha1 2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
        "sha1 2jmj7l5rSw0yVb",
        "sha256 2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha1 \xff",
        "\xff 2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    ],
)
def test_a_checksum_that_cannot_be_checked_is_400_and_leaves_no_trace(tus, sent):
    # That of no bytes at all, in another form or algorithm.
    path = tus.create(5)
    answer = tus.patch(path, 0, b"", {"Upload-Checksum": sent})
    assert (answer.status, answer.code) == (400, "invalid_header")
    assert tus.patch(path, 0, b"bytes", {"Upload-Checksum": sent}).status == 400
    assert tus.offset(path) == 0
