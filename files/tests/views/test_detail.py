from __future__ import annotations

import pytest
from django.test import Client

from files.models import File
from files.tests.factories import make_file
from files.tests.samples import png

pytestmark = pytest.mark.django_db

HTML = {"Accept": "text/html"}


def test_page_tells_all_about_a_file(client):
    file = make_file(b"x" * 2048, name="<ünï>.txt", folder="some/where")
    response = client.get(f"/view/{file.pk}/")
    html = response.content.decode()
    assert response.status_code == 200
    assert "&lt;ünï&gt;.txt" in html and "<ünï>" not in html
    assert "2.0\N{NO-BREAK SPACE}KB" in html and "(2,048 bytes)" in html
    assert file.mime_type in html and file.hash in html and "some/where" in html
    assert f'href="/download/{file.pk}"' in html
    assert f'href="/view/{file.pk}/delete/"' in html
    assert "<img class=" not in html


def test_pictures_are_shown(client):
    file = make_file(png(), name="red.png")
    html = client.get(f"/view/{file.pk}/").content.decode()
    assert f'src="/download/{file.pk}?disposition=inline"' in html
    assert 'alt="Preview of red.png"' in html


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
        ("a.html", b"<!doctype html><script>1</script>"),
        ("a.pdf", b"%PDF-1.4\n"),
        ("a.png", b"no picture at all"),
    ],
)
def test_nothing_else_is_shown(client, name, data):
    file = make_file(data, name=name)
    assert "disposition=inline" not in client.get(f"/view/{file.pk}/").content.decode()


def test_detail_costs_one_query_without_content(client, django_assert_num_queries):
    file = make_file()
    with django_assert_num_queries(1) as queries:
        client.get(f"/view/{file.pk}/")
    assert '"data"' not in queries.captured_queries[0]["sql"]


@pytest.mark.parametrize("file_id", ["0", "999999", "99999999999999999999999"])
@pytest.mark.parametrize("tail", ["", "delete/"])
def test_unknown_file_is_404(client, file_id, tail):
    response = client.get(f"/view/{file_id}/{tail}", headers=HTML)
    assert response.status_code == 404
    assert f"There is no file {file_id}." in response.content.decode()


def test_question_comes_before_the_delete(client):
    file = make_file(name="a.txt")
    response = client.get(f"/view/{file.pk}/delete/")
    assert "Delete this file?" in response.content.decode()
    assert File.objects.count() == 1
    response = client.post(f"/view/{file.pk}/delete/", follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert "“a.txt” was deleted." in response.content.decode()
    assert not File.objects.exists()
    assert client.post(f"/view/{file.pk}/delete/", headers=HTML).status_code == 404


def test_delete_needs_the_token():
    client = Client(enforce_csrf_checks=True)
    file = make_file()
    response = client.post(f"/view/{file.pk}/delete/", headers=HTML)
    assert response.status_code == 403
    assert "The form was too old" in response.content.decode()
    token = client.get(f"/view/{file.pk}/delete/").context["csrf_token"]
    response = client.post(f"/view/{file.pk}/delete/", {"csrfmiddlewaretoken": str(token)})
    assert response.status_code == 302
    assert not File.objects.exists()


def test_who_may_only_look_is_asked_to_sign_in(client, settings):
    settings.FILESERVER_ACCESS = "read"
    file = make_file()
    html = client.get(f"/view/{file.pk}/").content.decode()
    assert "/delete/" not in html
    for method in (client.get, client.post):
        response = method(f"/view/{file.pk}/delete/", headers=HTML)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")
    assert File.objects.count() == 1
