"""Labels, spaces, events and contents in the admin, and its first page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import OperationalError
from django.utils.html import escape

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.admin.dashboard import HEIGHT, chart_of
from files.exceptions import FileNotFoundInSpaceError, gettext_noop
from files.models import Content, Event, File, Label, Space, Upload
from files.services import resumable, uploads
from files.services.deletion import delete_file
from files.services.editing import edit_file
from files.services.statistics import DayTotal
from files.tests.admin.pages import LIST, count_in, text_of
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

LABELS = "/admin/files/label/"


def make_label(name: str = "red") -> Label:
    return Label.objects.create(space_id=DEFAULT_SPACE_ID, name=name)


def test_labels_are_made_changed_and_deleted_by_the_service(admin_client):
    fields = {"space": DEFAULT_SPACE_ID, "name": " red  one ", "color": "#FF0000"}
    assert admin_client.post(f"{LABELS}add/", fields).status_code == 302
    label = Label.objects.get()
    assert (label.name, label.color) == ("red one", "#ff0000")
    file = make_file()
    edit_file(actor=SYSTEM, file_id=file.pk, labels=["red one"])
    page = f"{LABELS}{label.pk}/"
    assert (
        admin_client.post(f"{page}change/", {"name": "blue", "color": "#0000ff"}).status_code == 302
    )
    assert Label.objects.get().name == "blue"
    assert "on 1 file" in text_of(admin_client.get(f"{page}delete/"))
    assert admin_client.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    assert not Label.objects.exists()
    events = Event.objects.filter(object_type="label").order_by("pk")
    assert [event.name for event in events] == ["label.created", "label.changed", "label.deleted"]
    assert {event.actor for event in events} == {"admin"}
    file.refresh_from_db()
    assert file.version == 4


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "red"}, "already exists"),
        ({"name": "\u200b"}, "needs a name that can be seen"),
        ({"color": "red"}, "Enter a valid value."),
        ({"space": 99}, "not one of the available choices"),
    ],
)
def test_a_wrong_label_is_refused_in_words(admin_client, fields, words):
    make_label("red")
    fields = {"space": DEFAULT_SPACE_ID, "name": "new", "color": "#ff0000"} | fields
    assert words in text_of(admin_client.post(f"{LABELS}add/", fields))
    assert Label.objects.count() == 1


def test_a_label_made_meanwhile_is_no_failure(admin_client, monkeypatch):
    make_label("red")
    monkeypatch.setattr(Label, "validate_constraints", lambda *args, **kwargs: None)
    fields = {"space": DEFAULT_SPACE_ID, "name": "red", "color": "#ff0000"}
    text = text_of(admin_client.post(f"{LABELS}add/", fields))
    assert "There is a label of this name already." in text
    assert 'name="name" value="red"' in text
    assert 'value="#ff0000"' in text
    assert Label.objects.count() == 1
    fields["name"] = "blue"
    assert admin_client.post(f"{LABELS}add/", fields).status_code == 302


def test_what_was_typed_is_kept_when_a_space_cannot_be_saved(admin_client, monkeypatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("database is locked")

    page = f"/admin/files/space/{DEFAULT_SPACE_ID}/change/"
    with monkeypatch.context() as patch:
        patch.setattr("files.services.spaces.events.record", refuse)
        text = text_of(admin_client.post(page, {"name": "Ours"}))
    assert "The database is busy for the moment; nothing was changed." in text
    assert 'value="Ours"' in text
    assert Space.objects.get().name != "Ours"
    assert admin_client.post(page, {"name": "Ours"}).status_code == 302
    admin_client.post(page, {"name": "Ours"})
    assert Event.objects.filter(name="space.changed").count() == 1


def test_what_happened_last_names_what_it_happened_to(admin_client):
    admin_client.post(
        f"{LABELS}add/", {"space": DEFAULT_SPACE_ID, "name": "<red>", "color": "#ff0000"}
    )
    admin_client.post(f"/admin/files/space/{DEFAULT_SPACE_ID}/change/", {"name": "Ours"})
    make_file(name="a.txt")
    nameless = Event.objects.create(name="trash.emptied", actor="system")
    text = text_of(admin_client.get("/admin/"))
    for event in Event.objects.exclude(pk=nameless.pk):
        name = escape(event.details["name"])
        assert f'/admin/files/event/{event.pk}/change/"><bdi>{name}</bdi></a>' in text
    assert "trash.emptied" in text
    assert f"/admin/files/event/{nameless.pk}/" not in text


def test_deleting_a_label_never_lists_its_files(admin_client, django_assert_max_num_queries):
    label = make_label()
    label.files.set([make_file(name=f"name {number}") for number in range(30)])
    with django_assert_max_num_queries(12):
        text = text_of(admin_client.get(f"{LABELS}{label.pk}/delete/"))
    assert "on 30 files" in text
    assert "name 3" not in text


def test_spaces_can_only_be_renamed(admin_client):
    page = f"/admin/files/space/{DEFAULT_SPACE_ID}/"
    assert admin_client.post(f"{page}change/", {"name": "Ours"}).status_code == 302
    assert Space.objects.get().name == "Ours"
    assert Event.objects.get(name="space.changed").actor == "admin"
    assert "space.changed" in text_of(admin_client.get(f"{page}history/"))
    assert admin_client.get("/admin/files/space/add/").status_code == 403
    assert admin_client.post(f"{page}delete/", {"post": "yes"}).status_code == 403


def test_events_are_looked_at_by_page_or_by_file(admin_client, monkeypatch):
    monkeypatch.setattr("files.admin.listing.OperatorAdmin.list_per_page", 2)
    files = [make_file(name=f"{number}.txt") for number in range(3)]
    text = text_of(admin_client.get("/admin/files/event/"))
    assert text.index("2.txt") < text.index("1.txt")
    assert "0.txt" not in text
    found = text_of(admin_client.get(f"/admin/files/event/?q={files[0].pk}"))
    assert "0.txt" in found
    assert "2.txt" not in found
    assert count_in(admin_client.get("/admin/files/event/?q=x")) == "0 events"
    event = Event.objects.first()
    page = f"/admin/files/event/{event.pk}/"
    assert files[0].hash in text_of(admin_client.get(f"{page}change/"))
    assert admin_client.post(f"{page}change/", {"actor": "x"}).status_code == 403
    assert admin_client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get("/admin/files/event/add/").status_code == 403
    for unknown in ("999", "x"):
        assert admin_client.get(f"/admin/files/event/{unknown}/change/").status_code == 404


def test_unfinished_uploads_are_shown(admin_client):
    make_file(noise(5000))
    incoming = uploads.begin(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="half.bin")
    uploads.append(incoming, noise(9 << 20))
    response = admin_client.get("/admin/files/content/")
    assert count_in(response) == "1 content"
    assert "receiving" in text_of(response)
    content = Content.objects.get(state="receiving", uploads=None)
    assert "receiving" in text_of(admin_client.get(f"/admin/files/content/{content.pk}/change/"))
    upload = resumable.create_upload(
        actor=SYSTEM, space_id=DEFAULT_SPACE_ID, size=9000, name="later.bin"
    )
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)
    resumable.append(piece, noise(5000))
    resumable.end_piece(piece)
    assert count_in(admin_client.get("/admin/files/content/")) == "1 content"
    of_uploads = admin_client.get("/admin/files/content/?state=uploads")
    assert count_in(of_uploads) == "1 content"
    assert f"/admin/files/content/{Upload.objects.get().content_id}/" in text_of(of_uploads)
    released = "/admin/files/content/?state=released"
    assert count_in(admin_client.get(released)) == "0 contents"
    assert admin_client.get("/admin/files/content/?state=stored").status_code == 302
    uploads.abort(incoming)
    assert count_in(admin_client.get(released)) == "1 content"


def test_the_first_page_tells_how_the_library_is(
    admin_client, client, django_assert_max_num_queries
):
    for number in range(3):
        make_file(noise(1000 * (number + 3)), name=f"{number}.bin")
    client.put("/upload/again", noise(3000), content_type="application/octet-stream")
    delete_file(actor=SYSTEM, file_id=File.objects.get(name="0.bin").pk)
    with django_assert_max_num_queries(15):
        text = text_of(admin_client.get("/admin/"))
    compact = " ".join(text.split())
    assert '<dt>Files</dt> <dd><a href="/admin/files/file/?space=1">2</a></dd>' in compact
    assert (
        '<dt>Trash</dt> <dd><a href="/admin/files/file/?space=1&amp;state=trash">1</a></dd>'
        in compact
    )
    assert "<dt>Duplicates refused</dt> <dd>1</dd>" in compact
    assert text.index("2.bin") < text.index("1.bin")
    assert text.count("<rect") == 30
    assert "file.trashed" in text
    assert "style=" not in text
    assert "<script>" not in text
    assert 'href="/static/favicon.svg"' in text


def test_the_first_page_keeps_to_permissions(staff):
    make_file(name="secret.txt")
    client = staff("view_label")
    assert "secret.txt" not in text_of(client.get("/admin/"))
    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("sizes", [[], [0], [5, 0, 10], [-5, 10], [-5, -10], [1 << 60, 1]])
def test_the_chart_stays_in_its_frame(sizes):
    today = date(2026, 1, 10)
    days = [
        DayTotal(count=1, bytes=size, day=today - timedelta(days=index), duplicates=0)
        for index, size in enumerate(sizes)
    ]
    chart = chart_of(days)
    assert len(chart.bars) == len(sizes)
    for bar, size in zip(chart.bars, sizes, strict=True):
        assert bar.y >= -2
        assert bar.y + bar.height <= HEIGHT + 2
        assert (bar.height > 0) is (size != 0)


def test_every_page_is_kept_from_scripts_of_others(admin_client):
    file = make_file()
    for path in ("/admin/", LIST, f"{LIST}{file.pk}/change/", "/admin/files/event/"):
        response = admin_client.get(path)
        text = text_of(response)
        assert response["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert " style=" not in text
        assert "onclick" not in text


def test_a_label_removed_meanwhile_is_told_in_words(admin_client, monkeypatch):
    label = make_label()

    def gone(**which: object) -> None:
        raise FileNotFoundInSpaceError(gettext_noop("There is no label %(id)s."), id=label.pk)

    monkeypatch.setattr("files.admin.label.labels.delete_label", gone)
    response = admin_client.post(f"{LABELS}{label.pk}/delete/", {"post": "yes"}, follow=True)
    assert response.redirect_chain
    assert f"There is no label {label.pk}." in response.content.decode()
