"""Resumable uploads as Django sees them; what goes over the wire is in files/tests/api/tus."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.test import Client

from files.exceptions import StorageBusyError, StorageFullError
from files.http import tus
from files.http.slots import transfer_slots
from files.models import File, Upload
from files.services import resumable

pytestmark = pytest.mark.django_db

UPLOADS = "/api/v1/uploads/"
VERSION = {"Tus-Resumable": "1.0.0"}
PIECE = "application/offset+octet-stream"


def post(client: Client, body: bytes = b"", /, **headers: str):
    told = VERSION | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(UPLOADS, body, content_type=PIECE, headers=told)


def patch(client: Client, path: str, offset: int, body: bytes = b"", /, **headers: str):
    told = VERSION | {name.replace("_", "-"): value for name, value in headers.items()}
    told |= {"Upload-Offset": str(offset)}
    return client.patch(path, body, content_type=PIECE, headers=told)


def begin(client: Client, size: int = 9, /, **headers: str) -> str:
    response = post(client, Upload_Length=str(size), **headers)
    assert response.status_code == 201, response.content
    return str(response["Location"])


def parts(client: Client, *blocks: bytes) -> str:
    """Return `Upload-Concat` for complete parts with these bytes."""
    paths = []
    for block in blocks:
        paths.append(begin(client, len(block), Upload_Concat="partial"))
        patch(client, paths[-1], 0, block)
    return f"final;{' '.join(paths)}"


def upload_at(path: str) -> Upload:
    return Upload.objects.get(pk=path.split("/")[-2])


def refused(response) -> tuple[int, str]:
    assert response["Tus-Resumable"] == "1.0.0"
    return response.status_code, response.json()["code"]


def hang_up(response) -> None:
    """Read a block and close the answer, as Django's test client does at its end."""
    assert next(response._iterator) == b" "
    response._iterator.close()


@pytest.fixture
def slowly(monkeypatch) -> None:
    """Let everything take too long to be done before the answer, a step a part."""
    monkeypatch.setattr(tus, "EARLY_S", -1.0)
    monkeypatch.setattr("files.services.resumable.concatenation.STEP", 1)


@pytest.fixture
def member() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_user("member"))
    client.get("/add/")
    return client


def token_of(client: Client) -> dict[str, str]:
    return {"X_CSRFToken": client.cookies["csrftoken"].value}


def test_parts_are_put_together_while_the_answer_is_sent(client, slowly):
    response = post(client, Upload_Concat=parts(client, b"one", b"two", b"three"))
    assert (response.status_code, response.streaming) == (201, True)
    path = response["Location"]
    before = client.head(path, headers=VERSION)
    assert (before["Upload-Length"], "Upload-Offset" in before) == ("11", False)
    *spaces, told = list(response.streaming_content)
    assert set(spaces) == {b" "}
    assert json.loads(told)["file"]["size"] == 11
    assert client.head(path, headers=VERSION)["Upload-Offset"] == "11"
    assert json.loads(b"".join([*spaces, told])) == client.get(path).json()


def test_a_client_that_leaves_goes_on_by_asking_again(client, slowly, monkeypatch):
    concat = parts(client, b"one", b"two", b"three")
    response = post(client, Upload_Concat=concat)
    hang_up(response)
    upload = upload_at(response["Location"])
    assert (upload.state, upload.offset) == ("receiving", 3)
    assert patch(client, response["Location"], 3, b"x").status_code == 403
    monkeypatch.setattr(tus, "EARLY_S", 60.0)
    again = post(client, Upload_Concat=concat)
    assert again["Location"] == response["Location"]
    file = again.json()["file"]
    assert client.get(f"/download/{file['id']}").getvalue() == b"onetwothree"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StorageFullError("No room is left."), 507, "storage_full"),
        (OperationalError("database is locked"), 503, "storage_busy"),
    ],
)
def test_a_refusal_in_the_middle_of_the_answer_is_told_at_its_end(
    client, slowly, monkeypatch, error, status, code
):
    concat = parts(client, b"one", b"two")

    def fail(*, actor: Any, upload_id: str) -> Iterator[None]:
        yield
        raise error

    monkeypatch.setattr(resumable, "assemble", fail)
    response = post(client, Upload_Concat=concat)
    problem = json.loads(b"".join(response.streaming_content))
    assert (problem["status"], problem["code"]) == (status, code)
    assert transfer_slots._taken == 0


def test_a_refusal_before_the_answer_has_its_status(client, monkeypatch):
    digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
    concat = parts(client, b"one", b"two")
    response = post(client, Upload_Concat=concat, Repr_Digest=digest)
    assert refused(response) == (400, "digest_mismatch")
    assert transfer_slots._taken == 0


@pytest.mark.parametrize("ends", ["read", "closed"])
def test_putting_together_is_a_transfer(client, slowly, monkeypatch, ends):
    concat = parts(client, b"one", b"two")
    response = post(client, Upload_Concat=concat)
    assert transfer_slots._taken == 1
    if ends == "read":
        list(response.streaming_content)
    else:
        hang_up(response)
    assert transfer_slots._taken == 0


def test_pieces_are_transfers(client, monkeypatch):
    path = begin(client)
    concat = parts(client, b"one")
    monkeypatch.setattr(transfer_slots, "threads", 1)
    with transfer_slots.take():
        assert refused(patch(client, path, 0, b"bytes")) == (503, "server_busy")
        assert refused(post(client, b"bytes", Upload_Length="9")) == (503, "server_busy")
        assert refused(post(client, Upload_Concat=concat)) == (503, "server_busy")
        # These are short.
        assert client.head(path, headers=VERSION)["Upload-Offset"] == "0"
        assert post(client, Upload_Length="9").status_code == 201
    assert patch(client, path, 0, b"bytes").status_code == 204


def failing(monkeypatch, after: int) -> None:
    """Let the database be busy from the block on that comes behind so many."""
    append, blocks = resumable.append, [0]

    def append_or_fail(piece: Any, data: bytes) -> None:
        blocks[0] += 1
        if blocks[0] > after:
            raise StorageBusyError("The database is busy.")
        append(piece, data)

    monkeypatch.setattr(resumable, "append", append_or_fail)
    monkeypatch.setattr("files.http.bodies.BLOCK_SIZE", 3)


def test_what_came_before_a_failure_is_kept(client, monkeypatch):
    path = begin(client)
    failing(monkeypatch, after=2)
    assert refused(patch(client, path, 0, b"123456789")) == (503, "storage_busy")
    assert upload_at(path).offset == 6


def test_of_a_piece_with_a_checksum_nothing_is_kept(client, monkeypatch):
    path = begin(client)
    failing(monkeypatch, after=2)
    checksum = "sha1 98O8HYCOBHMq32eZZczDTKeuNEE="
    response = patch(client, path, 0, b"123456789", Upload_Checksum=checksum)
    assert refused(response) == (503, "storage_busy")
    assert upload_at(path).offset == 0


def test_nothing_is_left_of_an_upload_whose_first_bytes_fail(client, monkeypatch):
    failing(monkeypatch, after=2)
    response = post(client, b"123456789", Upload_Length="9")
    assert refused(response) == (503, "storage_busy")
    assert not Upload.objects.exists()


def test_a_body_that_breaks_off_is_kept_as_far_as_it_came(client):
    path = begin(client)
    cut: dict[str, Any] = {
        "wsgi.input": io.BytesIO(b"12345"),
        "CONTENT_LENGTH": "9",
        "CONTENT_TYPE": PIECE,
    }
    response = client.generic("PATCH", path, headers=VERSION | {"Upload-Offset": "0"}, **cut)
    assert refused(response) == (400, "body_cut_short")
    assert client.head(path, headers=VERSION)["Upload-Offset"] == "5"


def test_strangers_may_do_nothing_on_a_private_server(client, settings, member):
    settings.FILESERVER_ACCESS = "private"
    path = begin(member, **token_of(member))
    wanted = (401, "authentication_required")
    assert refused(post(client, Upload_Length="9")) == wanted
    assert refused(patch(client, path, 0, b"bytes")) == wanted
    assert refused(client.delete(path, headers=VERSION)) == wanted
    assert client.head(path, headers=VERSION).status_code == 401
    assert client.options(UPLOADS).status_code == 401
    assert patch(member, path, 0, b"bytes", **token_of(member)).status_code == 204


def test_strangers_may_not_upload_where_they_may_only_look(client, settings):
    path = begin(client)
    settings.FILESERVER_ACCESS = "read"
    wanted = (401, "authentication_required")
    assert refused(post(client, Upload_Length="9")) == wanted
    assert refused(patch(client, path, 0, b"bytes")) == wanted
    assert refused(client.delete(path, headers=VERSION)) == wanted
    assert upload_at(path).offset == 0


def test_uploads_of_others_are_not_there(client, member):
    path = begin(member, **token_of(member))
    other = Client()
    other.force_login(get_user_model().objects.create_user("other"))
    for stranger in (client, other):
        assert refused(patch(stranger, path, 0, b"bytes")) == (404, "not_found")
        assert refused(stranger.delete(path, headers=VERSION)) == (404, "not_found")
        assert stranger.get(path).status_code == 404
        assert stranger.head(path, headers=VERSION).status_code == 404
    part = begin(member, 1, Upload_Concat="partial", **token_of(member))
    patch(member, part, 0, b"x", **token_of(member))
    assert refused(post(other, Upload_Concat=f"final;{part}")) == (400, "invalid_upload")
    assert upload_at(path).offset == 0


def test_a_session_needs_its_token(member):
    assert refused(post(member, Upload_Length="9")) == (403, "access_denied")
    path = begin(member, **token_of(member))
    assert refused(patch(member, path, 0, b"bytes")) == (403, "access_denied")
    assert refused(member.delete(path, headers=VERSION)) == (403, "access_denied")
    assert member.head(path, headers=VERSION)["Upload-Offset"] == "0"
    assert patch(member, path, 0, b"123456789", **token_of(member)).status_code == 204
    assert File.objects.get(size=9).owner.username == "member"


@pytest.mark.parametrize("actual", ["GET", "HEAD", "OPTIONS", "POST"])
def test_a_method_named_by_a_header_is_guarded_as_itself(member, actual):
    path = begin(member, **token_of(member))
    headers = VERSION | {"X-HTTP-Method-Override": "DELETE"}
    response = member.generic(actual, path, headers=headers)
    assert response.status_code == 403
    response = member.generic(actual, path, headers=headers | {"Sec-Fetch-Site": "same-site"})
    assert response.status_code == 403
    assert upload_at(path).offset == 0


def test_the_header_names_no_method_elsewhere(client):
    response = client.get("/files", headers={"X-HTTP-Method-Override": "DELETE"})
    assert response.status_code == 200
    assert "Tus-Resumable" not in response


def test_unknown_parameters_are_refused(client):
    response = client.post(f"{UPLOADS}?name=a", headers=VERSION | {"Upload-Length": "9"})
    assert refused(response) == (400, "invalid_filter")
