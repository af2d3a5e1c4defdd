"""What a request brings, against a service that only remembers it."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.exceptions import SuspiciousMultipartForm
from django.middleware.csrf import get_token
from django.test import RequestFactory

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import (
    AccessDeniedError,
    BodyCutShortError,
    BrokenMultipartError,
    DigestMismatchError,
    InvalidDigestError,
    InvalidUploadError,
    LengthRequiredError,
    MissingFileError,
    SeveralFilesError,
    StorageBusyError,
    StorageFullError,
    UnsupportedEncodingError,
)
from files.http import uploads
from files.http.uploads import MAX_FORM_OVERHEAD, RefusingUploadHandler, check_csrf, receive_upload

DATA = b"hello\r\n--not-the-boundary\r\n" * 50_000
BOUNDARY = "b0undary"
STORED: Any = object()


@dataclass
class RememberingService:
    """Stands for `services.uploads`; `fails_at` names the step that raises `error`."""

    error: BaseException | None = None
    fails_at: str = ""
    begun: dict[str, object] = field(default_factory=dict)
    data: bytes = b""
    ends: list[str] = field(default_factory=list)

    def check_early(self, **announced):
        self._fail("check_early")

    def begin(self, **announced):
        self.begun = announced
        self._fail("begin")
        return self

    def append(self, incoming, data):
        self._fail("append")
        self.data += data

    def commit(self, incoming):
        self._fail("commit")
        self.ends.append("commit")
        return STORED

    def abort(self, incoming):
        self.ends.append("abort")
        self._fail("abort")

    def _fail(self, step):
        if self.error is not None and step in self.fails_at.split():
            raise self.error


@pytest.fixture
def service(monkeypatch):
    service = RememberingService()
    monkeypatch.setattr(uploads, "uploads", service)
    return service


def digest_of(data):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def multipart(*parts, boundary=BOUNDARY):
    lines = [
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    ]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def of_system(request: Any) -> Any:
    """Give a request what our middleware would."""
    request.actor = SYSTEM
    return request


def form_request(*parts, body=None, **meta):
    body = multipart(*parts) if body is None else body
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    return of_system(RequestFactory().post("/upload", body, content_type=content_type, **meta))


def raw_request(data, **meta):
    content_type = "application/octet-stream"
    return of_system(RequestFactory().put("/upload/a.txt", data, content_type, **meta))


def chunked_request(data, **meta):
    meta |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    request = RequestFactory().generic("PUT", "/upload/a.txt", **meta)
    request.META["wsgi.input"] = io.BytesIO(data)
    request.META.pop("CONTENT_LENGTH", None)
    return of_system(request)


FILE = ('name="file"; filename="a.txt"', DATA)


def test_form_is_stored(service):
    request = form_request(('name="folder"', b"x/y"), FILE)
    assert receive_upload(request) is STORED
    assert service.data == DATA
    assert service.ends == ["commit"]
    assert service.begun == {
        "actor": SYSTEM,
        "space_id": DEFAULT_SPACE_ID,
        "name": "a.txt",
        "folder": "x/y",
        "at_least": max(int(request.headers["content-length"]) - MAX_FORM_OVERHEAD, 0),
        "digest": None,
    }


@pytest.mark.parametrize("data", [b"", b"x", DATA])
def test_raw_body_is_stored(service, data):
    assert receive_upload(raw_request(data), name="a.txt") is STORED
    assert (service.data, service.ends) == (data, ["commit"])
    assert service.begun["size"] == len(data)


def test_fields_are_checked_before_the_file_begins(service):
    def refuse(fields):
        assert fields == {"csrfmiddlewaretoken": "t"}
        raise AccessDeniedError("no")

    for request, name in (
        (form_request(('name="csrfmiddlewaretoken"', b"t"), FILE), None),
        (raw_request(DATA), "a.txt"),
    ):
        check = refuse if name is None else lambda fields: refuse({"csrfmiddlewaretoken": "t"})
        with pytest.raises(AccessDeniedError):
            receive_upload(request, name=name, check_fields=check)
    assert service.begun == {}


@pytest.mark.parametrize("step", ["append", "commit", "append abort"])
@pytest.mark.parametrize("error", [StorageFullError("full"), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_is_raised_is_taken_back_and_told(service, step, error):
    service.error, service.fails_at = error, step
    with pytest.raises(type(error)):
        receive_upload(form_request(FILE))
    assert service.ends == ["abort"]


def test_first_error_is_told_when_taking_back_fails_too(service, caplog):
    service.error, service.fails_at = StorageBusyError("locked"), "abort"
    with pytest.raises(SeveralFilesError):
        receive_upload(form_request(FILE, ('name="file"; filename="b.txt"', b"2")))
    assert "could not be taken back" in caplog.text


@pytest.mark.parametrize("end", [b"", b"--b0undary", multipart(FILE)[-10:-6]])
def test_unfinished_form_is_taken_back(service, end):
    body = multipart(FILE)[: -len(f"--{BOUNDARY}--\r\n")] + end
    with pytest.raises(BrokenMultipartError):
        receive_upload(form_request(body=body))
    assert service.ends == ["abort"]


def test_cut_raw_body_is_taken_back(service):
    request = raw_request(b"", CONTENT_LENGTH="1000", **{"wsgi.input": io.BytesIO(b"x" * 400)})
    with pytest.raises(BodyCutShortError, match="announced 1000 bytes, 400 came"):
        receive_upload(request, name="a.txt")
    assert service.ends == ["abort"]


def test_digests_of_a_raw_body_are_passed_on(service):
    for header in ("HTTP_REPR_DIGEST", "HTTP_CONTENT_DIGEST"):
        receive_upload(raw_request(DATA, **{header: digest_of(DATA)}), name="a.txt")
        assert service.begun["digest"] == hashlib.sha256(DATA).digest()


def test_digests_of_a_form_are_of_the_file(service):
    digest = hashlib.sha256(DATA).digest()
    receive_upload(form_request(FILE, HTTP_REPR_DIGEST=digest_of(DATA)))
    assert service.begun["digest"] == digest
    head = f"{FILE[0]}\r\nContent-Digest: {digest_of(DATA)}"
    receive_upload(form_request((head, DATA)))
    assert service.begun["digest"] == digest


def test_content_digest_of_a_form_is_of_all_its_bytes(service):
    body = multipart(FILE)
    receive_upload(form_request(body=body, HTTP_CONTENT_DIGEST=digest_of(body)))
    assert service.begun["digest"] is None
    assert service.ends == ["commit"]
    with pytest.raises(DigestMismatchError, match="whole form"):
        receive_upload(form_request(body=body, HTTP_CONTENT_DIGEST=digest_of(DATA)))
    assert service.ends == ["commit", "abort"]


def test_digests_that_differ_or_cannot_be_read_are_refused(service):
    headers = {"HTTP_REPR_DIGEST": digest_of(b"1"), "HTTP_CONTENT_DIGEST": digest_of(b"2")}
    with pytest.raises(DigestMismatchError):
        receive_upload(raw_request(DATA, **headers), name="a.txt")
    with pytest.raises(InvalidDigestError):
        receive_upload(raw_request(DATA, HTTP_REPR_DIGEST="sha-256=:x:"), name="a.txt")
    assert service.begun == {}


def test_raw_body_of_unknown_end_needs_a_digest(service):
    with pytest.raises(LengthRequiredError, match="Content-Length"):
        receive_upload(chunked_request(DATA), name="a.txt")
    receive_upload(chunked_request(DATA, HTTP_REPR_DIGEST=digest_of(DATA)), name="a.txt")
    assert (service.data, service.begun["size"]) == (DATA, None)


def test_form_of_unknown_length_shows_its_own_end(service):
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    receive_upload(chunked_request(multipart(FILE), CONTENT_TYPE=content_type))
    assert service.data == DATA
    with pytest.raises(BrokenMultipartError):
        receive_upload(chunked_request(multipart(FILE)[:-20], CONTENT_TYPE=content_type))


@pytest.mark.parametrize(
    "meta",
    [
        {"HTTP_CONTENT_ENCODING": "gzip"},
        {"HTTP_CONTENT_RANGE": "bytes 100-199/200"},
        {"CONTENT_TYPE": "multipart/form-data; boundary=x"},
    ],
)
def test_raw_body_that_is_not_the_file_is_refused(service, meta):
    request = of_system(RequestFactory().generic("PUT", "/upload/a.txt", DATA, **meta))
    with pytest.raises((InvalidUploadError, UnsupportedEncodingError)):
        receive_upload(request, name="a.txt")
    assert service.begun == {}


def test_post_of_something_else_is_told_what_is_expected(service):
    request = of_system(RequestFactory().post("/upload", b"{}", content_type="application/json"))
    with pytest.raises(MissingFileError, match="application/json"):
        receive_upload(request)


def csrf_request(**meta):
    request = form_request(FILE, **meta)
    request.COOKIES["csrftoken"] = secret = "s" * 32
    request.META["CSRF_COOKIE"] = secret
    return request


def test_csrf_token_is_taken_from_the_fields_or_the_header():
    request = csrf_request()
    check_csrf(request, {"csrfmiddlewaretoken": get_token(request)})
    token = get_token(csrf_request())
    check_csrf(csrf_request(HTTP_X_CSRFTOKEN=token), {})


@pytest.mark.parametrize("fields", [{}, {"csrfmiddlewaretoken": "x" * 32}, {"other": "s" * 32}])
def test_request_without_the_right_csrf_token_is_refused(fields, rf):
    with pytest.raises(AccessDeniedError, match="security token"):
        check_csrf(csrf_request(), fields)


def test_csrf_check_leaves_the_body_alone(service):
    request = csrf_request()
    check_csrf(request, {"csrfmiddlewaretoken": get_token(request)})
    receive_upload(request)
    assert service.data == DATA


def test_djangos_own_parser_takes_no_files(settings):
    settings.FILE_UPLOAD_HANDLERS = [f"{RefusingUploadHandler.__module__}.RefusingUploadHandler"]
    request = form_request(('name="title"', b"x"), FILE)
    with pytest.raises(SuspiciousMultipartForm):
        _ = request.POST
