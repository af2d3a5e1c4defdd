from __future__ import annotations

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.admin import file_page
from files.models import Content, Event, File, Label
from files.services import deletion
from files.services.deletion import delete_file
from files.services.editing import edit_file
from files.tests.admin.pages import LIST, check_totals, page_of, text_of, told
from files.tests.factories import make_file
from files.tests.samples import noise, png

pytestmark = pytest.mark.django_db

PAGES = ("change", "delete", "purge", "history", "content", "verify", "restore")


def events_of(file: File) -> list[str]:
    found = Event.objects.filter(object_type="file", object_id=file.pk).order_by("pk")
    return [event.name for event in found]


def test_page_shows_the_facts_and_never_reads_content(admin_client):
    file = make_file(b"text", name="a <b>.txt", folder="in/side")
    with CaptureQueriesContext(connection) as queries:
        text = text_of(admin_client.get(page_of(file)))
    assert not [query["sql"] for query in queries if '"data"' in query["sql"]]
    facts = (file.hash, "text/plain", "4\xa0bytes", "<dd>row</dd>")
    for part in ("a &lt;b&gt;.txt", 'value="in/side"', *facts):
        assert part in text, part
    assert "file.uploaded" in text
    assert f'href="{page_of(file, "content")}?disposition=inline"' in text
    assert "<img src" not in text.split('id="content-main"')[1]


def test_pictures_are_shown(admin_client):
    file = make_file(png(), name="a.png")
    assert f'<img src="{page_of(file, "content")}?disposition=inline"' in text_of(
        admin_client.get(page_of(file))
    )


def test_editing_goes_through_the_service(admin_client):
    Label.objects.create(space_id=DEFAULT_SPACE_ID, name="red")
    file = make_file(name="old.txt")
    fields = {"name": " new.pdf ", "folder": "a\\b", "labels": ["red"], "version": 1}
    response = admin_client.post(page_of(file), fields)
    assert (response.status_code, response["Location"]) == (302, page_of(file))
    file.refresh_from_db()
    assert (file.name, file.suffix, file.folder, file.version) == ("new.pdf", "pdf", "a/b", 2)
    assert [label.name for label in file.labels.all()] == ["red"]
    event = Event.objects.get(name="file.changed")
    assert (event.actor, event.object_id) == ("admin", file.pk)
    assert "“new.pdf” was saved." in html.unescape(told(admin_client))
    check_totals()


def test_a_stale_form_is_refused_in_words(admin_client):
    file = make_file(name="old.txt")
    edit_file(actor=SYSTEM, file_id=file.pk, name="meanwhile.txt")
    response = admin_client.post(page_of(file), {"name": "mine.txt", "folder": "", "version": 1})
    text = text_of(response)
    assert "Somebody changed this file meanwhile" in text
    assert 'value="mine.txt"' in text
    file.refresh_from_db()
    assert (file.name, file.version) == ("meanwhile.txt", 2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "/"}, "holds no name"),
        ({"name": "x" * 256}, "at most 255 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"folder": "x" * 501}, "at most 500 characters"),
        ({"labels": ["unknown"]}, "unknown is not one of the available choices"),
        ({"version": ""}, "This field is required."),
        ({"version": "x"}, "Enter a whole number."),
    ],
)
def test_wrong_values_are_refused_at_their_field(admin_client, fields, words):
    file = make_file(name="old.txt")
    fields = {"name": "new.txt", "folder": "", "version": 1} | fields
    text = text_of(admin_client.post(page_of(file), fields))
    assert "Nothing was saved." in text
    assert words in text
    file.refresh_from_db()
    assert (file.name, file.version) == ("old.txt", 1)


def test_what_is_in_the_trash_is_not_edited(admin_client):
    file = make_file(name="old.txt")
    delete_file(actor=SYSTEM, file_id=file.pk)
    text = text_of(admin_client.get(page_of(file)))
    assert "In the trash since" in text
    assert 'name="name"' not in text
    admin_client.post(page_of(file), {"name": "new.txt", "folder": "", "version": 2})
    file.refresh_from_db()
    assert file.name == "old.txt"


def test_content_comes_from_the_trash_too(admin_client):
    file = make_file(noise(3000), name="a.bin")
    delete_file(actor=SYSTEM, file_id=file.pk)
    response = admin_client.get(page_of(file, "content"))
    assert response.content == noise(3000)
    assert response["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response["Content-Security-Policy"]
    assert (
        admin_client.get(page_of(file, "content"), headers={"Range": "bytes=1-2"}).content
        == (noise(3000)[1:3])
    )
    assert admin_client.post(page_of(file, "content")).status_code == 405


@pytest.mark.parametrize("size", [20, 5000])
def test_verify_tells_and_records_the_result(admin_client, size):
    file = make_file(noise(size), name="a.bin")
    response = admin_client.post(page_of(file, "verify"))
    assert (response.status_code, response["Location"]) == (302, page_of(file))
    assert "1 file is intact." in told(admin_client)
    if size > 2048:
        file.content.chunks.update(data=noise(size, seed=1))
    else:
        File.objects.filter(pk=file.pk).update(data=noise(size, seed=1))
    admin_client.post(page_of(file, "verify"))
    assert "Failed: 1." in told(admin_client)
    checks = Event.objects.filter(name="file.verified").order_by("pk")
    assert [check.details["intact"] for check in checks] == [True, False]


def test_verifying_a_large_file_shows_a_page_of_its_own(admin_client, monkeypatch):
    monkeypatch.setattr(file_page, "SHORT_VERIFY_SIZE", 10)
    file = make_file()
    text = text_of(admin_client.post(page_of(file, "verify")))
    assert "1 file is intact." in text
    assert f'href="{page_of(file)}"' in text


def test_a_get_changes_nothing(admin_client):
    file = make_file()
    for page in PAGES:
        admin_client.get(page_of(file, page))
    assert admin_client.get(page_of(file, "verify")).status_code == 404
    assert events_of(file) == ["file.uploaded"]


def test_trash_restore_and_purge(admin_client):
    file = make_file(noise(5000), name="a.bin")
    assert "30 days" in text_of(admin_client.get(page_of(file, "delete")))
    response = admin_client.post(page_of(file, "delete"), {"version": 1})
    assert response["Location"] == LIST
    admin_client.post(page_of(file, "restore"))
    assert File.objects.get() == file
    asked = text_of(admin_client.get(page_of(file, "purge")))
    assert "1 file, 4.9\xa0KB" in asked
    version = re.findall(r'name="version" value="(\d+)"', asked)
    admin_client.post(page_of(file, "purge"), {"version": version})
    assert not File.everything.exists()
    assert Content.objects.get().state == Content.State.RELEASED
    assert events_of(file) == ["file.uploaded", "file.trashed", "file.restored", "file.deleted"]
    check_totals()


@pytest.mark.parametrize("page", ["delete", "purge"])
@pytest.mark.parametrize("version", ["1", "", "x"])
def test_a_stale_question_deletes_nothing(admin_client, page, version):
    file = make_file(name="old.txt")
    edit_file(actor=SYSTEM, file_id=file.pk, name="new.txt")
    response = admin_client.post(page_of(file, page), {"version": version})
    assert response["Location"] == page_of(file)
    assert "Somebody changed this file meanwhile" in told(admin_client)
    assert File.objects.count() == 1


def test_restoring_what_is_live_is_refused_in_words(admin_client):
    file = make_file()
    admin_client.post(page_of(file, "restore"))
    assert f"There is no file {file.pk}." in told(admin_client)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("file_id", ["999", "0", "-1", "x", "9" * 30, "1%27", "%00"])
def test_unknown_ids_are_404(admin_client, page, file_id):
    method = admin_client.post if page in ("verify", "restore") else admin_client.get
    response = method(f"{LIST}{file_id}/{page}/", headers={"Accept": "text/html"})
    assert response.status_code == 404


def test_history_tells_what_happened(admin_client):
    file = make_file(name="a<b>.txt")
    edit_file(actor=SYSTEM, file_id=file.pk, name="c.txt")
    text = text_of(admin_client.get(page_of(file, "history")))
    assert text.index("file.changed") < text.index("file.uploaded")
    assert "a&lt;b&gt;.txt" in text


def test_add_leads_to_the_upload_door(admin_client, staff):
    text = text_of(admin_client.get(LIST))
    assert f"{LIST}add/" in text
    for method in (admin_client.get, admin_client.post):
        response = method(f"{LIST}add/")
        assert (response.status_code, response["Location"]) == (302, "/add/")
    assert staff("view_file").get(f"{LIST}add/").status_code == 403


ALLOWED = {
    "view_file": {"change": 200, "history": 200, "content": 200, "verify": 302},
    "change_file": {"change": 200, "history": 200, "content": 200, "verify": 302, "restore": 302},
    "delete_file": {},
}


@pytest.mark.parametrize("permission", ALLOWED)
def test_pages_need_their_permission(staff, permission):
    client, file = staff(permission), make_file()
    for page in PAGES:
        method = client.post if page in ("verify", "restore") else client.get
        expected = ALLOWED[permission].get(page, 403)
        assert method(page_of(file, page)).status_code == expected, page


def test_who_may_only_look_changes_nothing(staff):
    client, file = staff("view_file"), make_file(name="old.txt")
    text = text_of(client.get(page_of(file)))
    assert 'name="name"' not in text
    assert "Move to the trash" not in text
    fields = {"name": "new.txt", "folder": "", "version": 1}
    for page in ("change", "delete", "purge", "restore"):
        assert client.post(page_of(file, page), fields).status_code == 403
    file.refresh_from_db()
    assert (file.name, file.version, file.deleted_at) == ("old.txt", 1, None)


def test_strangers_and_members_are_sent_to_sign_in(client, django_user_model):
    file, member = make_file(), Client()
    member.force_login(django_user_model.objects.create_user("member"))
    for visitor in (client, member):
        for page in PAGES:
            assert visitor.get(page_of(file, page)).status_code == 302


def test_posts_need_the_token(admin_user):
    client, file = Client(enforce_csrf_checks=True), make_file()
    client.force_login(admin_user)
    for page in ("change", "delete", "purge", "verify", "restore"):
        assert client.post(page_of(file, page), {"version": 1}).status_code == 403
    assert events_of(file) == ["file.uploaded"]


def test_looking_never_waits_for_a_writer(admin_client, monkeypatch):
    """A page that is looked at begins no transaction: on SQLite it would take the lock."""
    file = make_file()
    with CaptureQueriesContext(connection) as queries:
        for path in ("/admin/", LIST, page_of(file), page_of(file, "delete")):
            admin_client.get(path)
        admin_client.get(f"/admin/files/event/{Event.objects.get().pk}/change/")
    assert not [query for query in queries if query["sql"].startswith(("SAVEPOINT", "BEGIN"))]


def test_every_change_is_the_service_s(admin_client, monkeypatch):
    file = make_file()
    called = []
    monkeypatch.setattr(deletion, "delete_file", lambda **given: called.append(given))
    admin_client.post(page_of(file, "delete"), {"version": 1})
    assert [given["file_id"] for given in called] == [file.pk]
    assert called[0]["actor"].name == "admin"
