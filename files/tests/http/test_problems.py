import json

import pytest
from django.test import RequestFactory

from files import exceptions
from files.http.problems import STATUS, problem_of, problem_response, status_of, wants_html

STATUSES = {
    exceptions.InvalidUploadError: 400,
    exceptions.InvalidNameError: 400,
    exceptions.MissingFileError: 400,
    exceptions.SeveralFilesError: 400,
    exceptions.BrokenMultipartError: 400,
    exceptions.BodyCutShortError: 400,
    exceptions.InvalidDigestError: 400,
    exceptions.DigestMismatchError: 400,
    exceptions.InvalidHeaderError: 400,
    exceptions.ChecksumMismatchError: 460,
    exceptions.UnsupportedTypeError: 415,
    exceptions.UnsupportedVersionError: 412,
    exceptions.LengthRequiredError: 411,
    exceptions.FileTooLargeError: 413,
    exceptions.StorageFullError: 507,
    exceptions.FileNotFoundInSpaceError: 404,
    exceptions.VersionMismatchError: 412,
    exceptions.UploadExpiredError: 410,
    exceptions.UploadFinalError: 403,
    exceptions.TooManyUploadsError: 429,
    exceptions.AuthenticationRequiredError: 401,
    exceptions.AccessDeniedError: 403,
    exceptions.StorageBusyError: 503,
    exceptions.CorruptContentError: 500,
}


@pytest.fixture
def request_():
    request = RequestFactory().get("/download/1")
    vars(request)["request_id"] = "0123abcd"  # as the middleware does
    return request


def body(response):
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code
    return problem


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_refusal_has_a_status():
    for kind in subclasses(exceptions.FilesError):
        assert any(
            base in STATUS for base in kind.__mro__[: kind.__mro__.index(exceptions.FilesError)]
        ), kind


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_status_of(kind, status):
    assert status_of(kind("why")) == status


def test_bad_filter_is_a_bad_request():
    errors = {"size": exceptions.Phrase("is no number")}
    assert status_of(exceptions.InvalidFilterError(errors)) == 400


def test_duplicate_is_a_conflict():
    assert status_of(exceptions.DuplicateFileError("why", existing_id=7)) == 409


def test_another_offset_is_a_conflict():
    assert status_of(exceptions.UploadConflictError("why", offset=7)) == 409


def test_a_status_that_no_rfc_knows_has_a_title(request_):
    response = problem_of(request_, exceptions.ChecksumMismatchError("Other bytes came."))
    assert body(response)["title"] == response.reason_phrase == "Checksum Mismatch"


def test_problem_has_all_members(request_):
    error = exceptions.FileTooLargeError("12.4 MB, limit is 10 MB.")
    response = problem_of(request_, error, limit=10_000_000)
    assert body(response) == {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "detail": "12.4 MB, limit is 10 MB.",
        "code": "too_large",
        "request_id": "0123abcd",
        "limit": 10_000_000,
    }
    assert response["Cache-Control"] == "no-store"


def test_request_without_an_id_is_tolerated():
    request = RequestFactory().get("/")
    response = problem_response(request, status=404, code="not_found", detail="Nothing is here.")
    assert "request_id" not in body(response)


def test_headers_and_title_can_be_given(request_):
    response = problem_response(
        request_,
        status=405,
        code="method_not_allowed",
        title="Wrong verb",
        detail="Use GET.",
        headers={"Allow": "GET"},
    )
    assert response["Allow"] == "GET"
    assert body(response)["title"] == "Wrong verb"
    assert body(response)["detail"] == "Use GET."


def test_busy_says_when_to_come_back(request_):
    response = problem_of(request_, exceptions.StorageBusyError("Try again."))
    assert int(response["Retry-After"]) > 0


def test_unauthorized_says_how_to_sign_in(request_):
    response = problem_of(request_, exceptions.AuthenticationRequiredError("Sign in."))
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("image/png", False),
        ("nonsense", False),
    ],
)
def test_only_browsers_want_html(accept, expected):
    headers = {} if accept is None else {"Accept": accept}
    assert wants_html(RequestFactory().get("/", headers=headers)) is expected
