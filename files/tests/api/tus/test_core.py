"""Versions, extensions, the limit, and methods that a header names."""

from __future__ import annotations

import os

import pytest

from files.tests.api.tus.conftest import LIMIT
from files.tests.api.tus.raw import COLLECTION, PIECE_TYPE, TusClient

pytestmark = pytest.mark.live

NOWHERE = f"{COLLECTION}{'0' * 32}/"
NO_NUMBERS = ("-1", "+1", "1.5", "1e3", "0x10", "one", "", "1,1", "1 1", "\xb2")


def test_options_tells_what_the_server_can(tus):
    answer = tus.ask("OPTIONS", headers={"Tus-Resumable": None})
    assert (answer.status, answer.body) == (204, b"")
    assert answer["Tus-Version"] == "1.0.0"
    assert (answer["Tus-Extension"] or "").split(",") == [
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
    ]
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert answer["Tus-Resumable"] == "1.0.0"
    assert answer["Tus-Max-Size"] is None
    assert tus.ask("OPTIONS", NOWHERE)["Tus-Version"] == "1.0.0"


@pytest.mark.parametrize("version", ["0.2.2", "nonsense"])
def test_options_ignores_the_version_of_the_client(tus, version):
    answer = tus.ask("OPTIONS", headers={"Tus-Resumable": version})
    assert (answer.status, answer["Tus-Version"]) == (204, "1.0.0")


def test_a_limit_is_told_in_bytes(published: TusClient):
    assert published.ask("OPTIONS")["Tus-Max-Size"] == str(LIMIT)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("OPTIONS", COLLECTION, {}, 204),
        ("POST", COLLECTION, {"Upload-Length": "9"}, 201),
        ("POST", COLLECTION, {}, 400),
        ("POST", COLLECTION, {"Host": "unknown.example"}, 400),
        ("POST", COLLECTION, {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", COLLECTION, {}, 405),
        ("GET", NOWHERE, {}, 404),
        ("HEAD", NOWHERE, {}, 404),
        ("HEAD", NOWHERE + "more", {}, 404),
        ("PATCH", NOWHERE, {"Content-Length": "0"}, 415),
        ("PUT", NOWHERE, {"Content-Length": "0"}, 405),
        ("HEAD", NOWHERE, {"Tus-Resumable": "0.2.2"}, 412),
        ("HEAD", NOWHERE, {"X-Long": "x" * 40_000}, 431),
    ],
)
def test_every_answer_names_the_version(tus, method, path, headers, status):
    answer = tus.ask(method, path, headers)
    assert (answer.status, answer["Tus-Resumable"]) == (status, "1.0.0")


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1", "1.0.0, 1.0.0", "", "\xff"])
def test_another_version_is_refused_and_told_which_are_spoken(tus, version):
    path = tus.create(5)
    refused = {"Tus-Resumable": version}
    answers = [
        tus.post({"Upload-Length": "5", **refused}),
        tus.head(path, refused),
        tus.patch(path, 0, b"bytes", refused),
        tus.ask("DELETE", path, refused),
    ]
    assert {answer.status for answer in answers} == {412}
    assert {answer["Tus-Version"] for answer in answers} == {"1.0.0"}
    assert answers[0].code == "unsupported_version"


def test_a_request_of_another_version_changes_nothing(tus):
    path = tus.create(5)
    tus.patch(path, 0, b"bytes", {"Tus-Resumable": "0.2.2"})
    tus.ask("DELETE", path, {"Tus-Resumable": "0.2.2"})
    assert tus.offset(path) == 0


def test_looking_at_an_upload_needs_no_version(tus):
    assert tus.state(tus.create(5))["state"] == "receiving"


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_length_is_a_number_of_bytes(tus, value):
    answer = tus.post({"Upload-Length": value})
    assert (answer.status, answer.code) == (400, "invalid_header")


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_an_offset_is_a_number_of_bytes(tus, value):
    path = tus.create(5)
    answer = tus.patch(path, 0, b"bytes", {"Upload-Offset": value})
    assert (answer.status, answer.code) == (400, "invalid_header")
    assert tus.offset(path) == 0


def test_a_piece_needs_an_offset(tus):
    answer = tus.patch(tus.create(5), 0, b"bytes", {"Upload-Offset": None})
    assert (answer.status, answer.code) == (400, "invalid_header")


@pytest.mark.parametrize("name", ["PATCH", "patch"])
def test_a_header_names_the_method(tus, name):
    data = os.urandom(9)
    path = tus.create(9)
    headers = {"Content-Type": PIECE_TYPE, "Upload-Offset": "0", "X-HTTP-Method-Override": name}
    answer = tus.ask("POST", path, headers, data)
    assert (answer.status, answer["Upload-Offset"]) == (204, "9")
    assert tus.bytes_of(path) == data
    assert tus.ask("POST", path, {"X-HTTP-Method-Override": "DELETE"}, b"").status == 204
    assert tus.head(path).status == 404


def test_the_actual_method_is_ignored(tus):
    path = tus.create(9)
    answer = tus.ask("DELETE", path, {"X-HTTP-Method-Override": "HEAD"})
    assert (answer.status, answer["Upload-Offset"]) == (200, "0")
    assert tus.ask("PATCH", path, {"X-HTTP-Method-Override": "OPTIONS"}, b"").status == 204
    assert tus.offset(path) == 0


@pytest.mark.parametrize(
    "name", ["BREW", "PUT", "PATCH, DELETE", "INITIAL", "DISPATCH", "__init__"]
)
def test_a_method_that_is_none_is_not_allowed(tus, name):
    path = tus.create(9)
    answer = tus.ask("POST", path, {"X-HTTP-Method-Override": name}, b"")
    assert (answer.status, answer.code) == (405, "method_not_allowed")


def test_another_sites_page_names_no_method(tus):
    path = tus.create(9)
    headers = {"X-HTTP-Method-Override": "DELETE", "Sec-Fetch-Site": "cross-site"}
    answer = tus.ask("GET", path, headers)
    assert (answer.status, answer.code) == (403, "cross_site")
    assert tus.offset(path) == 0
