"""POST makes an upload, whose length may be told later."""

from __future__ import annotations

import base64
import os
import re

import pytest

from files.tests.api.tus.conftest import LIMIT
from files.tests.api.tus.raw import TusClient, metadata
from files.tests.live_databases import SQLITE, kind_of

pytestmark = pytest.mark.live


def test_a_new_upload_is_201_with_its_address(tus):
    answer = tus.post({"Upload-Length": "9"})
    assert answer.status == 201
    assert re.fullmatch(r"/api/v1/uploads/[0-9a-f]{32}/", answer["Location"] or "")
    assert answer.json() == tus.state(answer["Location"])
    assert tus.offset(answer["Location"]) == 0


def test_the_address_of_all_uploads_does_without_its_last_slash(tus):
    answer = tus.ask("POST", "/api/v1/uploads", {"Upload-Length": "9"}, b"")
    assert answer.status == 201
    assert tus.offset(answer["Location"]) == 0
    assert tus.ask("OPTIONS", "/api/v1/uploads")["Tus-Version"] == "1.0.0"


def test_every_upload_has_an_address_of_its_own(tus):
    assert tus.create(9) != tus.create(9)


@pytest.mark.parametrize("headers", [{}, {"Upload-Length": "9", "Upload-Defer-Length": "1"}])
def test_either_the_length_is_told_or_that_it_comes_later(tus, headers):
    answer = tus.post(headers)
    assert (answer.status, answer.code) == (400, "invalid_header")


@pytest.mark.parametrize("value", ["0", "2", "true", "", "1, 1", "01"])
def test_a_length_is_deferred_by_1_and_nothing_else(tus, value):
    answer = tus.post({"Upload-Defer-Length": value})
    assert (answer.status, answer.code) == (400, "invalid_header")


def test_a_deferred_length_is_told_as_such_until_it_is_known(tus):
    data = os.urandom(9)
    path = tus.create()
    assert (tus.head(path)["Upload-Defer-Length"], tus.head(path)["Upload-Length"]) == ("1", None)
    tus.patch(path, 0, data[:5])
    assert (tus.head(path)["Upload-Defer-Length"], tus.head(path)["Upload-Length"]) == ("1", None)
    assert tus.patch(path, 5, data[5:8], {"Upload-Length": "9"}).status == 204
    assert (tus.head(path)["Upload-Defer-Length"], tus.head(path)["Upload-Length"]) == (None, "9")
    tus.patch(path, 8, data[8:])
    assert tus.bytes_of(path) == data


def test_the_length_may_be_told_when_all_bytes_are_here(tus):
    data = os.urandom(9)
    path = tus.create()
    tus.patch(path, 0, data)
    assert tus.patch(path, 9, b"", {"Upload-Length": "9"}).status == 204
    assert tus.bytes_of(path) == data


def test_a_length_is_not_deferred_where_it_was_told(tus):
    assert tus.head(tus.create(9))["Upload-Defer-Length"] is None


@pytest.mark.parametrize("length", ["8", "10", "5"])
def test_a_length_is_told_once(tus, length):
    path = tus.create()
    tus.patch(path, 0, b"bytes", {"Upload-Length": "9"})
    answer = tus.patch(path, 5, b"", {"Upload-Length": length})
    assert (answer.status, answer.code) == (400, "invalid_upload")
    assert tus.head(path)["Upload-Length"] == "9"
    assert tus.patch(path, 5, b"more", {"Upload-Length": "9"}).status == 204


def test_a_length_is_not_below_what_came(tus):
    path = tus.create()
    tus.patch(path, 0, b"bytes")
    assert tus.patch(path, 5, b"", {"Upload-Length": "4"}).status == 400
    assert tus.head(path)["Upload-Defer-Length"] == "1"


def test_an_empty_upload_is_complete_at_once(tus):
    answer = tus.post({"Upload-Length": "0"})
    assert (answer.status, answer["Upload-Expires"]) == (201, None)
    told = answer.json()
    assert told["state"] in ("stored", "duplicate")
    assert (told["file"] or told["existing"])["size"] == 0


@pytest.mark.parametrize(
    "sent",
    [
        "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential",
        "is_confidential,filename YQ==",
        "empty ,other",
        "filename YQ==, kind Yg==",
        "UPPER YQ==,upper YQ==",
    ],
)
def test_metadata_come_back_as_they_were_sent(tus, sent):
    path = tus.create(9, Upload_Metadata=sent)
    assert tus.head(path)["Upload-Metadata"] == sent
    tus.patch(path, 0, os.urandom(9))
    assert tus.head(path)["Upload-Metadata"] == sent


@pytest.mark.parametrize("sent", [{}, {"Upload_Metadata": ""}])
def test_an_upload_without_metadata_has_none(tus, sent):
    assert tus.head(tus.create(9, **sent))["Upload-Metadata"] is None


@pytest.mark.parametrize(
    "sent",
    [
        "filename YQ==,filename Yg==",
        "a,a",
        "filename YQ==,,b YQ==",
        "filename YQ==,",
        " ,a",
        "filename YQ== Yg==",
        "filename not_base64",
        "filename YQ",
        "filename\tYQ==",
        "filename Y\x01Q=",
        f"filename {base64.b64encode(bytes(7000)).decode()}",
    ],
)
def test_metadata_that_cannot_be_read_are_refused(tus, sent):
    answer = tus.post({"Upload-Length": "9", "Upload-Metadata": sent})
    # Control characters do not pass the server's own parser.
    assert answer.status == 400
    if "\x01" not in sent:
        assert answer.code == "invalid_header"


@pytest.mark.parametrize(
    ("sent", "name", "folder"),
    [
        ({"filename": "a.txt"}, "a.txt", ""),
        ({"name": "b.txt"}, "b.txt", ""),
        ({"filename": "a.txt", "name": "b.txt"}, "a.txt", ""),
        ({"filename": "", "name": "b.txt"}, "b.txt", ""),
        ({"filename": "../../etc/passwd"}, "passwd", ""),
        ({"filename": "合同.pdf", "folder": "2026/spring"}, "合同.pdf", "2026/spring"),
        ({"filename": "a.txt", "relativePath": "x/y/a.txt"}, "a.txt", "x/y"),
        ({"filename": "a.txt", "relativePath": "a.txt"}, "a.txt", ""),
        ({"filename": "a.txt", "relativePath": "null"}, "a.txt", ""),
        ({"filename": "a.txt", "relativePath": "x/a.txt", "folder": "z"}, "a.txt", "z"),
        ({"filename": "a\r\nSet-Cookie: b=c.txt"}, "aSet-Cookie: b=c.txt", ""),
        ({"filename": "a.txt", "any": b"\xff\x00"}, "a.txt", ""),
    ],
)
def test_metadata_name_the_file_and_its_folder(tus, sent, name, folder):
    data = os.urandom(9)
    path = tus.create(9, Upload_Metadata=metadata(**sent))
    tus.patch(path, 0, data)
    file = tus.state(path)["file"]
    assert (file["name"], file["folder"]) == (name, folder)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"filename": b"\xff"}, "invalid_header"),
        ({"folder": b"\xff"}, "invalid_header"),
        ({"relativePath": b"\xff/a"}, "invalid_header"),
        ({"filename": ".."}, "invalid_name"),
        ({"filename": "a" * 256}, "invalid_name"),
    ],
)
def test_a_name_that_no_file_could_have_is_refused(tus, sent, code):
    answer = tus.post({"Upload-Length": "9", "Upload-Metadata": metadata(**sent)})
    assert (answer.status, answer.code) == (400, code)


def test_an_upload_without_a_name_gets_one(tus):
    path = tus.create(9)
    assert tus.state(path)["name"] == f"upload-{path.split('/')[-2]}"


def test_a_longer_upload_than_is_taken_is_413(published: TusClient):
    answer = published.post({"Upload-Length": str(LIMIT + 1)})
    assert (answer.status, answer.code) == (413, "too_large")
    assert published.post({"Upload-Length": str(LIMIT)}).status == 201


def test_a_deferred_length_keeps_to_the_limit_too(published: TusClient):
    path = published.create()
    answer = published.patch(path, 0, b"", {"Upload-Length": str(LIMIT + 1)})
    assert (answer.status, answer.code) == (413, "too_large")
    published.patch(path, 0, bytes(LIMIT))
    assert published.patch(path, LIMIT, b"x").status == 413
    assert published.offset(path) == LIMIT


@pytest.mark.parametrize("length", [1 << 63, 10**30, "9" * 5000])
def test_a_length_that_nothing_can_have_is_413(tus, length):
    answer = tus.post({"Upload-Length": str(length)})
    assert (answer.status, answer.code) == (413, "too_large")


def test_more_than_the_disk_has_room_for_is_507(tus, tus_server):
    if kind_of(tus_server.database_url) != SQLITE:
        pytest.skip("about SQLite: a server's disk is not seen from here")
    answer = tus.post({"Upload-Length": str((1 << 63) - 1)})
    assert (answer.status, answer.code) == (507, "storage_full")


def test_a_file_that_is_known_by_its_digest_is_a_duplicate_before_it_is_sent(tus):
    path = tus.create(9)
    tus.patch(path, 0, os.urandom(9))
    file = tus.state(path)["file"]
    digest = f"sha-256=:{base64.b64encode(bytes.fromhex(file['hash'])).decode()}:"
    answer = tus.post({"Upload-Length": "9", "Repr-Digest": digest})
    assert (answer.status, answer.code) == (409, "duplicate")
    assert answer.json()["existing"] == file


def test_a_file_with_another_digest_than_announced_is_given_up(tus):
    digest = f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"
    path = tus.create(9, Repr_Digest=digest)
    answer = tus.patch(path, 0, os.urandom(9))
    assert (answer.status, answer.code) == (400, "digest_mismatch")
    assert tus.head(path).status == 404
