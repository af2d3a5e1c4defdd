from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from files.models import File
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db

PAGE_POLICY = "default-src 'none'"


def put(client: Client, **headers: str):
    return client.put("/upload/a.txt", b"x", content_type="text/plain", headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://testserver"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_our_own_pages_and_programs_may_write(client, headers):
    assert put(client, **headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:8080"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": ""},
    ],
)
@pytest.mark.parametrize("access", ["open", "read", "private"])
def test_another_sites_page_may_not(client, settings, access, headers):
    settings.FILESERVER_ACCESS = access
    response = put(client, **headers)
    assert (response.status_code, response.json()["code"]) == (403, "cross_site")
    file = make_file()
    assert client.delete(f"/delete/{file.pk}", headers=headers).status_code == 403
    assert client.post(f"/view/{file.pk}/delete/", headers=headers).status_code == 403
    assert client.post("/add/", headers=headers).status_code == 403
    assert list(File.objects.all()) == [file]


@pytest.mark.parametrize("path", ["/", "/files", "/upload", "/healthz", "/nothing"])
def test_an_unknown_host_is_400(client, path):
    response = client.get(path, headers={"Host": "evil.example"})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "meta",
    [
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "1,1"},
        {"CONTENT_LENGTH": "0x10"},
        {"CONTENT_LENGTH": "9" * 30},
        {"CONTENT_LENGTH": "1", "HTTP_TRANSFER_ENCODING": "chunked"},
        {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "gzip"},
        {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked, chunked"},
    ],
)
def test_a_body_without_a_certain_end_is_refused(client, meta):
    response = client.generic("PUT", "/upload/a", b"x", **meta)
    assert (response.status_code, response.json()["code"]) == (400, "bad_framing")


def test_endless_headers_are_refused(client):
    response = client.get("/files", headers={"X-Long": "x" * 40_000})
    assert (response.status_code, response.json()["code"]) == (431, "headers_too_large")


@pytest.mark.parametrize("path", ["/", "/add/", "/files", "/nothing", "/healthz"])
def test_every_answer_has_the_headers_that_protect(client, path):
    response = client.get(path)
    assert response["Content-Security-Policy"].startswith(PAGE_POLICY)
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cache-Control"]
    assert len(response["X-Request-ID"]) == 32


def test_a_proxys_words_count_only_from_a_known_proxy(client, settings):
    make_file()
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}
    assert client.get("/files", headers=forwarded).getvalue().count(b"http://testserver/") == 1
    settings.FILESERVER_TRUSTED_PROXIES = [ip_network("127.0.0.0/8")]
    known = Client()
    assert known.get("/files", headers=forwarded).getvalue().count(b"https://localhost/") == 1
    stranger = Client(REMOTE_ADDR="192.0.2.7")
    assert stranger.get("/files", headers=forwarded).getvalue().count(b"http://testserver/") == 1


@pytest.fixture
def member() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("member"))
    return client


def test_strangers_only_read_where_that_is_set(client, settings, member):
    settings.FILESERVER_ACCESS = "read"
    file = make_file()
    assert client.get("/files").status_code == 200
    assert client.get(f"/download/{file.pk}").status_code == 200
    refused = put(client)
    assert (refused.status_code, refused.json()["code"]) == (401, "authentication_required")
    assert refused["WWW-Authenticate"]
    assert client.delete(f"/delete/{file.pk}").status_code == 401
    assert put(member).status_code == 200
    assert File.objects.get(name="a.txt").owner.username == "member"


def test_strangers_see_nothing_where_that_is_set(client, settings, member):
    settings.FILESERVER_ACCESS = "private"
    file = make_file()
    for path in ("/files", f"/download/{file.pk}", "/download/999"):
        response = client.get(path)
        assert (response.status_code, response.json()["code"]) == (401, "authentication_required")
        assert member.get(path).status_code in (200, 404)
    page = client.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page["Location"]) == (302, "/admin/login/?next=/")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_cookies_that_came_over_tls_stay_on_it(client):
    assert not client.get("/add/").cookies["csrftoken"]["secure"]
    assert client.get("/add/", secure=True).cookies["csrftoken"]["secure"]


def test_a_session_needs_the_token_to_upload(settings):
    settings.FILESERVER_ACCESS = "private"
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_user("member"))
    refused = put(client)
    assert (refused.status_code, refused.json()["code"]) == (403, "access_denied")
    client.get("/add/")
    token = client.cookies["csrftoken"].value
    uploaded = put(client, **{"X-CSRFToken": token})
    assert uploaded.status_code == 200
    path = f"/delete/{uploaded.json()['id']}"
    assert client.delete(path).json()["code"] == "access_denied"
    assert client.delete(path, headers={"X-CSRFToken": token}).status_code == 204
