from __future__ import annotations

import io
import json
from zipfile import ZipFile

import pytest

from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

ARCHIVE = "/api/v1/files/archive/"


@pytest.fixture
def library() -> list[int]:
    return [
        make_file(b"one", name="a.txt", folder="x/y").pk,
        make_file(noise(5000), name="b.bin").pk,
        make_file(b"three", name="A.TXT", folder="X/Y").pk,
    ]


def members(response) -> dict[str, bytes]:
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/zip"
    body = b"".join(response)
    assert len(body) == int(response["Content-Length"])
    with ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def post(client, fields):
    return client.post(ARCHIVE, json.dumps(fields), content_type="application/json")


def test_the_whole_library(client, library):
    whole = members(client.get(ARCHIVE))
    assert whole["b.bin"] == noise(5000)
    assert sorted(whole.values(), key=len)[:2] == [b"one", b"three"]
    assert len({name.casefold() for name in whole}) == 3


def test_chosen_ids(client, library):
    first, second, _ = library
    expected = {"x/y/a.txt": b"one", "b.bin": noise(5000)}
    assert members(client.get(ARCHIVE, {"id": [first, second]})) == expected


def test_chosen_ids_as_form_and_as_json(client, library):
    first, second, _ = library
    form = client.post(ARCHIVE, f"id={first}&id={second}", "application/x-www-form-urlencoded")
    assert members(form) == members(post(client, {"id": [first, second]}))


def test_filters(client, library):
    assert list(members(client.get(ARCHIVE, {"suffix": "bin"}))) == ["b.bin"]
    assert list(members(post(client, {"suffix": ["bin"], "min_size": 10}))) == ["b.bin"]
    assert members(client.get(ARCHIVE, {"suffix": "none"})) == {}


def test_a_head_tells_the_length(client, library):
    head = client.head(ARCHIVE)
    assert head.content == b""
    assert int(head["Content-Length"]) == len(b"".join(client.get(ARCHIVE)))


def test_an_archive_never_lacks_a_file_silently(client, library):
    response = client.get(ARCHIVE, {"id": [library[0], 999_999]})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert client.get(ARCHIVE, {"id": library[0], "suffix": "bin"}).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ["x"]},
        {"id": [0]},
        {"id": [True]},
        {"id": [{}]},
        {"id": [1 << 63]},
        {"id": list(range(1, 10_002))},
        {"id": None},
        {"colour": "red"},
        {"min_size": "big"},
        [],
        "text",
    ],
)
def test_what_cannot_be_meant_is_400(client, library, fields):
    response = post(client, fields)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_more_fields_than_a_form_may_have(client):
    body = "&".join(f"id={number}" for number in range(1, 600))
    response = client.post(ARCHIVE, body, "application/x-www-form-urlencoded")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_an_order_that_is_none_is_400(client, library):
    assert client.get(ARCHIVE, {"ordering": "nonsense"}).status_code == 400
    assert len(members(client.get(ARCHIVE, {"ordering": "-size"}))) == 3
