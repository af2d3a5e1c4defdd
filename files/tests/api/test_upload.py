from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Sum
from django.test import Client

from files.models import Chunk, Content, File
from files.tests.samples import noise, png

pytestmark = pytest.mark.django_db

BOUNDARY = "boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def post(client: Client, data: bytes, name: str = "a.bin", **extra):
    return client.post("/upload", {"file": SimpleUploadedFile(name, data)}, **extra)


def put(client: Client, data: bytes, name: str = "a.bin", **extra):
    return client.put(f"/upload/{name}", data, content_type="application/octet-stream", **extra)


def post_parts(client: Client, body: bytes):
    return client.generic("POST", "/upload", body, content_type=FORM)


def part(data: bytes, name: str = "file", filename: str | None = "a.bin") -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def download(client: Client, file_id: int) -> bytes:
    response = client.get(f"/download/{file_id}")
    assert response.status_code == 200
    return response.getvalue()


def assert_refused(response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["detail"]
    assert problem["request_id"] == response["X-Request-ID"]
    assert not File.everything.filter(name="refused").exists()
    return problem


@pytest.mark.parametrize("send", [post, put])
@pytest.mark.parametrize("size", [0, 1, 5000, (3 << 20) + 1])
def test_a_file_goes_up_and_comes_back(client, send, size):
    data = noise(size)
    response = send(client, data, "a.bin")
    assert response.status_code == 200
    told = response.json()
    assert told == {
        "id": told["id"],
        "name": "a.bin",
        "folder": "",
        "suffix": "bin",
        "size": size,
        "upload_date": told["upload_date"],
        "mime_type": told["mime_type"],
        "hash": hashlib.sha256(data).hexdigest(),
        "labels": [],
        "download_url": f"http://testserver/download/{told['id']}",
    }
    assert told["upload_date"].endswith("Z")
    assert download(client, told["id"]) == data


def test_the_type_is_read_from_the_bytes(client):
    file = SimpleUploadedFile("a.txt", png(), content_type="text/plain")
    assert client.post("/upload", {"file": file}).json()["mime_type"] == "image/png"


@pytest.mark.parametrize("send", [post, put])
def test_a_duplicate_is_told_with_the_file_that_is_there(client, send):
    first = post(client, b"same", "first.txt").json()
    problem = assert_refused(send(client, b"same", "refused"), 409, "duplicate")
    assert problem["existing"] == first


def test_names_in_six_scripts_are_kept(client):
    for name in ("résumé.pdf", "Договор.docx", "合同.pdf", "契約.txt", "عقد.pdf", "חוזה 😀.txt"):
        assert post(client, name.encode(), name).json()["name"] == name
        assert put(client, b"raw " + name.encode(), name).json()["name"] == name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("a%22b%0D%0A.txt", 'a"b.txt'),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("e\u0301.txt", "é.txt"),
        ("tab\there.txt", "tabhere.txt"),
    ],
)
def test_a_name_never_becomes_a_path(client, sent, kept):
    body = part(b"x", filename=sent) + END
    assert post_parts(client, body).json()["name"] == kept


def test_a_raw_upload_without_a_name_is_told_so(client):
    for path in ("/upload/", "/upload/%0D%0A", "/upload/a/"):
        assert_refused(client.put(path, b"x", "application/octet-stream"), 400, "invalid_name")
    assert put(client, b"x", "a%0Ab").json()["name"] == "ab"


@pytest.mark.parametrize("name", ["..", "%0A", "\u202e", " ", "a" * 256])
def test_a_name_that_is_none_is_refused(client, name):
    response = post_parts(client, part(b"x", filename=name) + END)
    assert_refused(response, 400, "invalid_name")
    assert not File.everything.exists()


def test_a_folder_is_kept_as_text(client):
    body = part(b"photos/2026", name="folder", filename=None) + part(b"x") + END
    assert post_parts(client, body).json()["folder"] == "photos/2026"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (END, "file_missing"),
        (part(b"x", name="data") + END, "file_missing"),
        (part(b"x", filename=None) + END, "file_missing"),
        (part(b"", filename="") + END, "file_missing"),
        (part(b"x") + part(b"y") + END, "several_files"),
        (part(b"x"), "broken_multipart"),
        (b"no multipart at all", "broken_multipart"),
        (part(b"x") + b"--other--\r\n", "broken_multipart"),
        (b"", "file_missing"),
    ],
)
def test_a_broken_form_stores_nothing(client, body, code):
    response = post_parts(client, body)
    assert_refused(response, 400, code)
    assert not File.everything.exists()


def test_a_body_that_is_no_form_is_refused(client):
    response = client.post("/upload", {"file": "x"}, content_type="application/json")
    assert_refused(response, 400, "file_missing")


def test_a_boundary_in_mid_line_ends_nothing(client):
    data = b"line one --boundary still line one\r\nx--boundary\r\n --boundary--\r\nend"
    told = post_parts(client, part(data) + END).json()
    assert download(client, told["id"]) == data


@pytest.mark.parametrize("size", [100, 100_000, 20 << 20])
@pytest.mark.parametrize("form", [True, False])
def test_a_body_cut_short_stores_nothing(client, form, size):
    whole = part(noise(size)) + END if form else noise(size)
    cut: dict[str, Any] = {
        "wsgi.input": io.BytesIO(whole[:-50]),
        "CONTENT_LENGTH": str(len(whole)),
        "CONTENT_TYPE": FORM if form else "application/octet-stream",
    }
    method, path = ("POST", "/upload") if form else ("PUT", "/upload/refused")
    response = client.generic(method, path, **cut)
    assert_refused(response, 400, "body_cut_short")
    assert not File.everything.exists()


@pytest.mark.parametrize("header", ["HTTP_REPR_DIGEST", "HTTP_CONTENT_DIGEST"])
def test_a_right_digest_passes_and_a_wrong_one_stores_nothing(client, header):
    def digest(data: bytes) -> str:
        return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"

    assert put(client, b"right", **{header: digest(b"right")}).status_code == 200
    refused = put(client, b"wrong", "refused", **{header: digest(b"other")})
    assert_refused(refused, 400, "digest_mismatch")
    known = put(client, b"not even read", "refused", **{header: digest(b"right")})
    assert assert_refused(known, 409, "duplicate")["existing"]["name"] == "a.bin"


def test_a_digest_that_is_none_is_refused(client):
    response = put(client, b"x", "refused", HTTP_REPR_DIGEST="sha-256=:nonsense:")
    assert_refused(response, 400, "invalid_digest")


@pytest.mark.parametrize("send", [post, put])
def test_over_the_limit_is_refused(client, settings, send):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 5_000_000
    problem = assert_refused(send(client, noise(5_000_001), "refused"), 413, "too_large")
    assert "5,000,000" in problem["detail"]
    assert send(client, noise(5_000_000), "fits").status_code == 200


def test_chunked_without_a_digest_needs_a_length(client):
    response = client.generic(
        "PUT",
        "/upload/refused",
        HTTP_TRANSFER_ENCODING="chunked",
        **{"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"x")},
    )
    assert_refused(response, 411, "length_required")


def test_what_was_written_of_a_refused_upload_is_given_up(client):
    body = part(noise(20 << 20))
    assert_refused(post_parts(client, body), 400, "broken_multipart")
    assert Content.objects.abandoned().count() == 1


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/upload", "POST"),
        ("POST", "/files", "GET, HEAD"),
        ("POST", "/download/1", "GET, HEAD"),
        ("GET", "/delete/1", "DELETE"),
        ("POST", "/upload/a", "PUT"),
        ("OPTIONS", "/upload/a", "PUT"),
    ],
)
def test_other_methods_are_told_what_is_allowed(client, method, path, allowed):
    response = client.generic(method, path)
    assert_refused(response, 405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == set(allowed.split(", "))


def test_no_upload_touches_djangos_parser(client, monkeypatch):
    monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", None)
    assert post(client, b"x").status_code == 200


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_full_disk_is_507(client):
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("SQLite has a limit of pages to stand for a full disk")
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 40}")
    try:
        assert_refused(put(client, noise(3 << 20), "refused"), 507, "storage_full")
        assert put(client, b"small", "fits").status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 4294967294")
    assert put(client, noise(3 << 20), "later").status_code == 200


def test_what_must_stay_free_is_never_taken(client, monkeypatch):
    def room() -> int:
        stored = Chunk.objects.aggregate(total=Sum("size"))["total"] or 0
        return max((30 << 20) - stored, 0)

    monkeypatch.setattr("files.storage.database.room", room)
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    body = part(noise(60 << 20)) + END
    extra = chunked | {"wsgi.input": io.BytesIO(body), "CONTENT_TYPE": FORM, "CONTENT_LENGTH": ""}
    assert_refused(client.generic("POST", "/upload", **extra), 507, "storage_full")
    assert Content.objects.abandoned().count() == 1


def test_the_answer_is_json_whatever_is_accepted(client):
    response = put(client, b"x", HTTP_ACCEPT="text/html")
    assert response["Content-Type"] == "application/json"
    assert json.loads(response.content)["name"] == "a.bin"


def test_no_temporary_file_is_made(client, settings, tmp_path: Path):
    before = set(Path(tmp_path).iterdir())
    put(client, noise(5 << 20))
    assert set(Path(tmp_path).iterdir()) == before
