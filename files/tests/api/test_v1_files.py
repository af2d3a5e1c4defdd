from __future__ import annotations

import hashlib
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import File, Label
from files.services.deletion import delete_file
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

FILES = "/api/v1/files/"


def get(client, path: str = FILES, **parameters):
    return client.get(path, parameters)


def patch(client, file: File, changes, **headers: str):
    return client.patch(
        f"{FILES}{file.pk}/",
        json.dumps(changes),
        content_type="application/json",
        headers=headers,
    )


@pytest.fixture
def label() -> Label:
    return Label.objects.create(space_id=DEFAULT_SPACE_ID, name="urgent")


def test_an_upload_is_201_with_its_address(client):
    file = SimpleUploadedFile("a.txt", b"text")
    response = client.post(FILES, {"file": file})
    assert response.status_code == 201
    told = response.json()
    assert response["Location"] == f"http://testserver{FILES}{told['id']}/"
    assert client.get(response["Location"]).json() == told
    again = client.post(FILES, {"file": SimpleUploadedFile("b.txt", b"text")})
    assert (again.status_code, again.json()["existing"]) == (409, told)


def test_pages_follow_each_other_there_and_back(client):
    made = [make_file(name=f"{number}.txt").pk for number in range(7)][::-1]
    first = get(client, page_size=3).json()
    assert [file["id"] for file in first["results"]] == made[:3]
    assert first["previous"] is None
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    assert [file["id"] for file in second["results"] + third["results"]] == made[3:]
    assert third["next"] is None
    assert client.get(third["previous"]).json()["results"] == second["results"]
    back = client.get(second["previous"]).json()
    assert (back["results"], back["previous"]) == (first["results"], None)


def test_a_page_keeps_filters_and_order(client):
    for number in range(4):
        make_file(b"x" * (number + 1), name=f"{number}.txt")
        make_file(b"y" * (number + 1), name=f"{number}.pdf")
    first = get(client, suffix="txt", ordering="-size", page_size=2).json()
    second = client.get(first["next"]).json()
    assert [file["size"] for file in first["results"] + second["results"]] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "501"}, "page_size"),
        ({"page_size": "x"}, "page_size"),
        ({"page_size": "9" * 5000}, "page_size"),
        ({"after": "nowhere"}, "after"),
        ({"before": "W10"}, "before"),
        ({"page": "2"}, "page"),
        ({"colour": "red"}, "colour"),
        ({"ordering": "hash"}, "ordering"),
    ],
)
def test_what_cannot_be_asked_is_named(client, parameters, named):
    response = get(client, **parameters)
    assert response.status_code == 400
    assert response.json()["errors"].keys() == {named}


def test_a_list_is_three_queries(client, django_assert_max_num_queries):
    for _ in range(20):
        make_file()
    with django_assert_max_num_queries(2):
        assert len(get(client).json()["results"]) == 20


def test_one_file_has_the_etag_of_its_version(client):
    file = make_file()
    response = get(client, f"{FILES}{file.pk}/")
    assert (response.status_code, response["ETag"]) == (200, '"v1"')
    assert response.json()["id"] == file.pk
    known = client.get(f"{FILES}{file.pk}/", headers={"If-None-Match": '"v1"'})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", '"v1"')
    patch(client, file, {"name": "b"})
    assert client.get(f"{FILES}{file.pk}/", headers={"If-None-Match": '"v1"'}).status_code == 200


def test_a_file_is_renamed_moved_and_labelled(client, label):
    file = make_file(name="a.txt")
    response = patch(client, file, {"name": "b.md", "folder": "x/y", "labels": ["urgent"]})
    assert (response.status_code, response["ETag"]) == (200, '"v2"')
    told = response.json()
    assert (told["name"], told["suffix"], told["folder"]) == ("b.md", "md", "x/y")
    assert told["labels"] == ["urgent"]
    assert get(client, label="urgent").json()["results"] == [told]
    assert get(client, label="other").json()["results"] == []
    assert get(client, q="RGEN").json()["results"] == [told]
    assert json.loads(client.get("/files").getvalue()) == [told]


@pytest.mark.parametrize(("tag", "status"), [('"v1"', 200), ("*", 200), ('"v2"', 412)])
def test_a_change_may_name_the_version_it_means(client, tag, status):
    response = patch(client, make_file(), {"name": "b"}, **{"If-Match": tag})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"name": ""}, "invalid_fields", {"name"}),
        ({"name": ".."}, "invalid_name", None),
        ({"name": None}, "invalid_fields", {"name"}),
        ({"name": "a\0b"}, "invalid_fields", {"name"}),
        ({"name": ["a"]}, "invalid_fields", {"name"}),
        ({"size": 3, "hash": "x"}, "invalid_fields", {"size", "hash"}),
        ({"labels": "urgent"}, "invalid_fields", {"labels"}),
        ({"labels": ["nobody's"]}, "invalid_fields", {"labels"}),
        ([], "invalid_fields", {"body"}),
        ("text", "invalid_fields", {"body"}),
    ],
)
def test_a_change_that_cannot_be_is_400(client, changes, code, named):
    file = make_file(name="a.txt")
    response = patch(client, file, changes)
    assert (response.status_code, response.json()["code"]) == (400, code)
    if named:
        assert response.json()["errors"].keys() == named
    assert File.objects.get().version == 1


def test_a_change_names_the_version_and_not_the_bytes(client):
    file = make_file()
    assert patch(client, file, {"name": "b"}, **{"If-Match": file.etag}).status_code == 412


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000])
def test_json_that_is_nested_too_deep_is_400(client, body):
    response = client.patch(f"{FILES}{make_file().pk}/", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


def test_bodies_that_cannot_be_read(client):
    url = f"{FILES}{make_file().pk}/"
    answers = [
        client.patch(url, "{", content_type="application/json"),
        client.patch(url, b"\xff", content_type="application/json"),
        client.patch(url, "name=b", content_type="application/x-www-form-urlencoded"),
        client.patch(url, " " * (1 << 21), content_type="application/json"),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 415, 413]
    assert all(answer["Content-Type"] == "application/problem+json" for answer in answers)


def test_a_file_is_deleted_once(client):
    url = f"{FILES}{make_file().pk}/"
    assert client.delete(url, headers={"If-Match": '"v2"'}).status_code == 412
    assert client.delete(url).status_code == 204
    assert client.delete(url).status_code == 404
    assert client.get(url).status_code == 404


def test_content_is_as_downloaded(client):
    file = make_file(noise(5000))
    url = f"{FILES}{file.pk}/content/"
    assert b"".join(client.get(url)) == noise(5000)
    assert client.get(url, headers={"Range": "bytes=0-9"}).status_code == 206
    assert client.head(url)["Content-Length"] == "5000"
    assert client.get(f"{FILES}99/content/").status_code == 404


def test_hashes_are_looked_up(client):
    stored, gone = make_file(b"stored"), make_file(b"gone")
    delete_file(actor=SYSTEM, file_id=gone.pk)
    absent = hashlib.sha256(b"absent").hexdigest()
    hashes = [absent, stored.hash.upper(), gone.hash]
    body = json.dumps({"hashes": hashes})
    response = client.post(f"{FILES}check/", body, content_type="application/json")
    assert response.json()["results"] == [
        {"hash": absent, "state": "absent", "id": None},
        {"hash": stored.hash, "state": "stored", "id": stored.pk},
        {"hash": gone.hash, "state": "trashed", "id": None},
    ]


@pytest.mark.parametrize("hashes", [["x"], "x", None, ["g" * 64], ["a" * 64] * 10_001])
def test_hashes_that_are_none_are_400(client, hashes):
    body = json.dumps({"hashes": hashes})
    response = client.post(f"{FILES}check/", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_fields")


@pytest.mark.parametrize("path", ["", "1/", "check/"])
def test_what_a_route_does_not_do_is_405(client, path):
    make_file()
    response = client.put(FILES + path)
    assert response.status_code == 405
    assert "PUT" not in response["Allow"]


def test_a_session_needs_the_token(django_user_model):
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("ann"))
    file = make_file()
    assert patch(client, file, {"name": "b"}).status_code == 403
    assert client.delete(f"{FILES}{file.pk}/").status_code == 403
    label = json.dumps({"name": "x"})
    assert client.post("/api/v1/labels/", label, content_type="application/json").status_code == 403


def test_a_stranger_in_a_private_library(client, settings):
    file = make_file()
    settings.FILESERVER_ACCESS = "private"
    for path in ("files/", f"files/{file.pk}/", "types/", "labels/", "stats/"):
        assert get(client, f"/api/v1/{path}").status_code == 401


def test_a_stranger_who_may_only_look(client, settings):
    file, gone = make_file(), make_file()
    delete_file(actor=SYSTEM, file_id=gone.pk)
    settings.FILESERVER_ACCESS = "read"
    body = json.dumps({"hashes": [gone.hash]})
    checked = client.post(f"{FILES}check/", body, content_type="application/json").json()
    assert checked["results"][0]["state"] == "absent"
    assert client.patch(f"{FILES}{file.pk}/", "{", "application/json").status_code == 401
    assert get(client, f"{FILES}{file.pk}/").status_code == 200
    assert patch(client, file, {"name": "b"}).status_code == 401
    assert client.delete(f"{FILES}{file.pk}/").status_code == 401
