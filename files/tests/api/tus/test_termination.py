"""DELETE gives an upload up."""

from __future__ import annotations

import os

import pytest

from files.tests.api.tus.raw import COLLECTION

pytestmark = pytest.mark.live


@pytest.mark.parametrize("came", [0, 5, 5000, 9 << 20])
def test_a_terminated_upload_is_gone(tus, came):
    path = tus.create(came + 1)
    tus.patch(path, 0, os.urandom(came))
    answer = tus.ask("DELETE", path)
    assert (answer.status, answer.body, answer["Content-Length"]) == (204, b"", None)
    assert tus.head(path).status == 404
    assert tus.patch(path, came, b"x").status == 404
    assert tus.ask("GET", path).status == 404
    assert tus.ask("DELETE", path).status == 404


def test_what_it_took_is_given_back(tus, tus_server):
    path = tus.create(9 << 20)
    tus.patch(path, 0, os.urandom((9 << 20) - 1))
    columns = 'SELECT "content_id" FROM "upload" WHERE "id" = %s'
    content_id = tus_server.query(columns, path.split("/")[-2])[0][0]
    tus.ask("DELETE", path)
    ((kept_until,),) = tus_server.query(
        'SELECT "keep_until" FROM "content" WHERE "id" = %s', content_id
    )
    assert kept_until is not None


def test_a_writer_of_a_terminated_upload_is_told(tus):
    path = tus.create(100)
    with tus.begin_patch(path, 0, 100, Expect="100-continue") as connection:
        assert connection.recv(12) == b"HTTP/1.1 100"
        assert tus.ask("DELETE", path).status == 204
        connection.sendall(b"x" * 100)
        answer = b""
        while b"application/problem+json" not in answer:
            answer += connection.recv(4096)
    assert b"HTTP/1.1 409" in answer or b"HTTP/1.1 404" in answer


def test_the_file_of_a_finished_upload_stays(tus):
    data = os.urandom(9)
    path = tus.create(9)
    tus.patch(path, 0, data)
    file = tus.state(path)["file"]
    assert tus.ask("DELETE", path).status == 204
    assert tus.head(path).status == 404
    assert tus.ask("GET", f"/download/{file['id']}").body == data


def test_an_upload_whose_file_was_deleted_says_so(tus):
    path = tus.create(9)
    tus.patch(path, 0, os.urandom(9))
    tus.ask("DELETE", f"/delete/{tus.state(path)['file']['id']}")
    told = tus.state(path)
    assert (told["state"], told["file"], told["existing"]) == ("stored", None, None)


def test_what_is_not_there_cannot_be_terminated(tus):
    assert tus.ask("DELETE", f"{COLLECTION}{'0' * 32}/").status == 404


def test_a_part_may_be_terminated(tus):
    path = tus.create(5, Upload_Concat="partial")
    tus.patch(path, 0, b"bytes")
    assert tus.ask("DELETE", path).status == 204
    answer = tus.post({"Upload-Concat": f"final;{path}"})
    assert (answer.status, answer.code) == (400, "invalid_upload")
