from __future__ import annotations

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.test import Client

from files.exceptions import StorageBusyError
from files.views import browse, errors, upload

pytestmark = pytest.mark.django_db

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


def failing(client: Client, monkeypatch, error: Exception, headers=HTML):
    def fail(*args: object) -> None:
        raise error

    client.raise_request_exception = False
    monkeypatch.setattr(browse, "filter_files", fail)
    return client.get("/", headers=headers)


@pytest.mark.parametrize("path", ["/nothing", "/view/1", "/view/1/", "/static/../x"])
def test_people_get_a_page(client, path):
    response = client.get(path, headers=HTML)
    assert response.status_code == 404
    assert response["Content-Type"] == "text/html; charset=utf-8"
    html = response.content.decode()
    assert "Not found" in html and 'href="/"' in html
    assert "Resolver" not in html and "tried" not in html


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/nothing", JSON),
        ("/nothing", {"Accept": "*/*"}),
        ("/nothing", {}),
        ("/api/v1/nothing", HTML),
        ("/files/nothing", HTML),
        ("/download/x", HTML),
        ("/delete/", HTML),
        ("/healthz/", HTML),
    ],
)
def test_programs_get_a_problem(client, path, headers):
    response = client.get(path, headers=headers)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert problem["request_id"] == response["X-Request-ID"]


def test_500_says_nothing_of_what_happened(client, monkeypatch, caplog):
    response = failing(client, monkeypatch, RuntimeError("a secret"))
    html = response.content.decode()
    assert response.status_code == 500
    assert "Server error" in html and response["X-Request-ID"] in html
    assert "secret" not in html and "Traceback" not in html
    problem = failing(client, monkeypatch, RuntimeError("a secret"), JSON).json()
    assert problem["code"] == "server_error" and "secret" not in str(problem)


@pytest.mark.parametrize("headers", [HTML, JSON])
def test_500_needs_no_database(rf, headers, django_assert_num_queries):
    request = rf.get("/", headers=headers)
    request.COOKIES["sessionid"] = "something"
    with django_assert_num_queries(0):
        response = errors.server_error(request)
    assert response.status_code == 500


def test_500_comes_even_when_no_template_can_be_rendered(client, monkeypatch, caplog):
    def fail(*args: object, **kwargs: object) -> str:
        raise ValueError("Missing staticfiles manifest entry")

    monkeypatch.setattr(errors, "render_to_string", fail)
    response = failing(client, monkeypatch, RuntimeError())
    assert response.status_code == 500
    assert "<h1>Server error</h1>" in response.content.decode()
    assert "manifest" not in response.content.decode()


def test_400_repeats_only_our_own_words(client, monkeypatch):
    html = failing(client, monkeypatch, BadRequest("Ours.")).content.decode()
    assert "Ours." in html
    response = failing(client, monkeypatch, SuspiciousOperation("inner workings"))
    assert response.status_code == 400
    assert "inner workings" not in response.content.decode()


def test_unknown_host_is_400(client):
    response = client.get("/", headers=HTML | {"Host": "evil.example"})
    assert response.status_code == 400
    assert "Not understood" in response.content.decode()


def test_403_is_a_page(client, monkeypatch):
    response = failing(client, monkeypatch, PermissionDenied("inner workings"))
    assert response.status_code == 403
    assert "You may not do this." in response.content.decode()


def test_missing_token_is_said_in_words_or_as_a_problem():
    client = Client(enforce_csrf_checks=True)
    response = client.post("/view/1/delete/", headers=JSON)
    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")
    assert "inline" not in response.content.decode()


def test_busy_database_is_503_in_words(client, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise StorageBusyError("Please try again.")

    monkeypatch.setattr(upload, "require_write", fail)
    response = client.get("/add/", headers=HTML)
    assert response.status_code == 503
    assert "Please try again." in response.content.decode()


@pytest.mark.parametrize("error", [OperationalError(2006, "gone: a secret"), InterfaceError(0, "")])
def test_a_database_that_is_away_is_503_in_words_and_a_line_in_the_log(
    client, monkeypatch, caplog, error
):
    response = failing(client, monkeypatch, error)
    html = response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "The database is away for the moment. Please try again." in html
    assert "secret" not in html
    assert response["X-Request-ID"] in caplog.records[0].getMessage()
    assert not any(record.exc_info for record in caplog.records)
    problem = failing(client, monkeypatch, error, JSON).json()
    assert (problem["status"], problem["code"]) == (503, "storage_busy")


def test_a_full_database_is_507(client, monkeypatch):
    response = failing(client, monkeypatch, OperationalError("database or disk is full"), JSON)
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")


@pytest.mark.parametrize("path", ["/healthz", "/nothing"])
def test_who_asks_is_not_looked_up_where_nobody_needs_it(
    admin_client, django_assert_num_queries, path
):
    with django_assert_num_queries(0):
        admin_client.get(path)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/", "GET, HEAD"), ("/add/", "GET, HEAD, POST"), ("/healthz", "GET, HEAD")],
)
def test_another_method_is_told_what_is_allowed(client, path, allowed):
    response = client.put(path)
    assert (response.status_code, response["Allow"]) == (405, allowed)
    assert response.json()["code"] == "method_not_allowed"


def test_a_browser_gets_refusals_as_pages(client):
    page = {"Accept": "text/html"}
    response = client.post("/", headers=page)
    assert response.status_code == 405
    assert "GET, HEAD" in response.content.decode()
    response = client.post("/add/", headers=page | {"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert "page of another site" in response.content.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_says_which_methods_it_knows(path):
    response = Client(enforce_csrf_checks=True).post(path)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
