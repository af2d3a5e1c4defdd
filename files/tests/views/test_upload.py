from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from files.models import File
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db

HTML = {"Accept": "text/html"}


def send(client: Client, data: bytes = b"some bytes", name: str = "a.txt", **fields: object):
    return client.post("/add/", {**fields, "file": SimpleUploadedFile(name, data)}, headers=HTML)


def token_of(html: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
    assert found
    return found[1]


def test_form_has_the_token_before_the_file(client):
    html = client.get("/add/").content.decode()
    assert html.index('name="csrfmiddlewaretoken"') < html.index('type="file"')
    assert 'action="/add/"' in html and 'enctype="multipart/form-data"' in html


@pytest.mark.parametrize("url", ["/add/", "/"])
def test_pages_have_no_inline_script_or_style(client, url):
    make_file()
    html = client.get(url).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)
    assert "://" not in html


def test_upload_goes_to_the_files_page(client):
    response = send(client, b"some bytes", "ünï.txt")
    file = File.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/view/{file.pk}/")
    assert file.name == "ünï.txt"
    assert "“ünï.txt” is stored." in client.get(response["Location"]).content.decode()


def test_duplicate_links_to_the_file_that_is_there(client):
    existing = make_file(b"the same", name="first.txt")
    response = send(client, b"the same", "second.txt")
    html = response.content.decode()
    assert response.status_code == 409
    assert "Not stored again" in html
    assert f'href="/view/{existing.pk}/"><bdi>first.txt</bdi>' in html
    assert 'type="file"' in html


def test_too_large_is_said_in_words(client, settings):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 1000
    assert "At most 1000\N{NO-BREAK SPACE}bytes a file." in client.get("/add/").content.decode()
    response = send(client, b"x" * 1001)
    assert response.status_code == 413
    assert "1,000" in response.content.decode()
    assert not File.objects.exists()


def test_form_without_a_file_is_refused(client):
    response = client.post("/add/", {"other": "field"}, headers=HTML)
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()


def test_form_needs_the_token():
    client = Client(enforce_csrf_checks=True)
    assert send(client).status_code == 403
    token = token_of(client.get("/add/").content.decode())
    assert send(client, csrfmiddlewaretoken="x" * 64).status_code == 403
    assert not File.objects.exists()
    assert send(client, csrfmiddlewaretoken=token).status_code == 302
    assert File.objects.count() == 1


def test_who_may_only_look_is_asked_to_sign_in(client, settings):
    settings.FILESERVER_ACCESS = "read"
    response = client.get("/add/", headers=HTML)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
    assert send(client).status_code == 401
    assert not File.objects.exists()
