"""HEAD tells where to go on."""

from __future__ import annotations

import os

import pytest

from files.tests.api.tus.raw import COLLECTION

pytestmark = pytest.mark.live


def test_the_offset_is_told_at_every_stage(tus):
    path = tus.create(10)
    assert tus.head(path)["Upload-Offset"] == "0"
    tus.patch(path, 0, os.urandom(4))
    assert tus.head(path)["Upload-Offset"] == "4"
    tus.patch(path, 4, os.urandom(6))
    assert tus.head(path)["Upload-Offset"] == "10"


def test_the_length_is_told_before_and_after_the_end(tus):
    path = tus.create(10)
    assert tus.head(path)["Upload-Length"] == "10"
    tus.patch(path, 0, os.urandom(10))
    assert tus.head(path)["Upload-Length"] == "10"


def test_an_upload_that_is_there_is_answered_200_without_a_body(tus):
    answer = tus.head(tus.create(10))
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("id", ["0" * 32, "1", "A" * 32, "0" * 33, "%00", "..%2f"])
def test_an_upload_that_is_not_there_is_404_without_an_offset(tus, id):
    answer = tus.head(f"{COLLECTION}{id}/")
    assert (answer.status, answer["Upload-Offset"], answer.body) == (404, None, b"")


def test_nobody_keeps_the_answer(tus):
    path = tus.create(10)
    assert tus.head(path)["Cache-Control"] == "no-store"
    assert tus.head(f"{COLLECTION}{'0' * 32}/")["Cache-Control"] == "no-store"


def test_get_tells_the_same_and_more(tus):
    path = tus.create(10)
    told, headed = tus.ask("GET", path), tus.head(path)
    names = ("Upload-Offset", "Upload-Length", "Upload-Expires", "Cache-Control", "Content-Length")
    assert [told[name] for name in names] == [headed[name] for name in names]
    expires_at = told.json()["expires_at"]
    assert told.json() == {
        "id": path.split("/")[-2],
        "state": "receiving",
        "name": f"upload-{path.split('/')[-2]}",
        "size": 10,
        "offset": 0,
        "expires_at": expires_at,
        "file": None,
        "existing": None,
    }


def test_a_duplicate_is_finished_and_told(tus):
    data = os.urandom(10)
    paths = [tus.create(10), tus.create(10)]
    answers = [tus.patch(path, 0, data) for path in paths]
    assert [(one.status, one["Upload-Offset"]) for one in answers] == [(204, "10")] * 2
    first, second = (tus.state(path) for path in paths)
    assert (first["state"], second["state"]) == ("stored", "duplicate")
    assert (second["existing"], second["file"]) == (first["file"], None)
    assert tus.head(paths[1])["Upload-Offset"] == "10"
