"""Unfinished uploads in the admin: looked at, searched, and given up."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.admin import runs, upload_actions, walking
from files.models import Content, Event, File, Upload
from files.permissions import actor_for
from files.services import resumable
from files.tests.admin.pages import count_in, link_in, text_of, told
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db

LIST = "/admin/files/upload/"


def begin(
    name: str = "half.bin", size: int | None = 100, received: int = 0, **given: Any
) -> Upload:
    """Make an upload of which some bytes came."""
    actor = given.pop("actor", SYSTEM)
    upload = resumable.create_upload(
        actor=actor, space_id=DEFAULT_SPACE_ID, size=size, name=name, **given
    )
    if received:
        piece = resumable.begin_piece(actor=actor, upload_id=upload.pk, offset=0)
        resumable.append(piece, noise(received))
        upload = resumable.end_piece(piece)
    return upload


def rows(count: int, **columns: Any) -> list[Upload]:
    """Make rows of uploads, "0.bin", "1.bin" …, the first of which got its bytes last."""
    now = timezone.now()
    made = [
        Upload(
            space_id=DEFAULT_SPACE_ID,
            name=f"{number}.bin",
            size=1000,
            updated_at=now - timedelta(minutes=number),
            expires_at=now + timedelta(days=1),
            **columns,
        )
        for number in range(count)
    ]
    return Upload.objects.bulk_create(made)


def names_in(response: Any) -> list[str]:
    return re.findall(r'field-upload_name">.*?<bdi>(.*?)</bdi>', text_of(response), re.S)


def act(client: Client, *uploads: Upload, query: str = "", **data: Any) -> Any:
    ids = [upload.pk for upload in uploads]
    fields = {"action": "discard", "index": 0, "select_across": 0, "_selected_action": ids}
    return client.post(LIST + query, fields | data)


def answered(client: Client, asked: Any, path: str = LIST) -> Any:
    """Answer the question with the fields of its form."""
    fields: dict[str, list[str]] = {"confirmed": ["1"]}
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text_of(asked))
    for name, value in found:
        fields.setdefault(name, []).append(value)
    return client.post(path, fields)


def test_what_is_told_of_each(admin_client):
    ann = User.objects.create_user("ann")
    begin("grown.bin", 3000, 1000, actor=actor_for(ann, "open"))
    begin("nothing.bin")
    begin("open.bin", None, 10)
    begin("a.part", 10, is_partial=True)
    text = " ".join(text_of(admin_client.get(LIST)).split())
    assert "1000 bytes of 2.9 KB <span>(33%)</span>" in text
    assert '<progress value="0.3333" max="1"' in text
    assert "<bdi>ann</bdi>" in text
    assert "none yet" in text
    assert "10 bytes of an unknown size" in text
    assert '<bdi>a.part</bdi> <span class="quiet">part of a file</span>' in text
    assert text.count("<time") == 4 + 2
    assert " style=" not in text


def test_those_that_expired_are_marked(admin_client):
    rows(1)
    assert 'class="expired"' not in text_of(admin_client.get(LIST))
    Upload.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert '<span class="expired">expired <time' in text_of(admin_client.get(LIST))


def test_finished_ones_are_in_lists_of_their_own(admin_client):
    first = make_file(b"same")
    stored = begin("stored.bin", 5000, 5000)
    upload = begin("again.bin", 4)
    piece = resumable.begin_piece(actor=SYSTEM, upload_id=upload.pk, offset=0)
    resumable.append(piece, b"same")
    resumable.end_piece(piece)
    begin("half.bin")
    response = admin_client.get(LIST)
    assert (names_in(response), "discard" in text_of(response)) == (["half.bin"], True)
    for state, name, file_id in (
        ("stored", "stored.bin", stored.file_id),
        ("duplicate", "again.bin", first.pk),
    ):
        response = admin_client.get(f"{LIST}?state={state}")
        assert names_in(response) == [name]
        assert "discard" not in text_of(response)
        assert f'<a href="/admin/files/file/{file_id}/change/">{file_id}</a>' in text_of(response)
    assert admin_client.get(f"{LIST}?state=other").status_code == 302


def test_pages_are_in_the_order_of_the_last_bytes(admin_client, monkeypatch):
    monkeypatch.setattr("files.admin.listing.OperatorAdmin.list_per_page", 3)
    rows(7)
    # Equal times: the id decides.
    Upload.objects.filter(name__in=["2.bin", "3.bin", "4.bin"]).update(updated_at=timezone.now())
    found, path = [], LIST
    while path:
        response = admin_client.get(path)
        assert count_in(response) == "7 uploads"
        found += names_in(response)
        following = link_in(response, "next")
        path = following and LIST + following
    assert sorted(found[:3]) == ["2.bin", "3.bin", "4.bin"]
    assert found[3:] == ["0.bin", "1.bin", "5.bin", "6.bin"]


def test_a_name_or_an_id_is_found(admin_client):
    made = rows(5)
    assert names_in(admin_client.get(f"{LIST}?q=3.BIN")) == ["3.bin"]
    assert names_in(admin_client.get(f"{LIST}?q={made[2].pk.upper()}")) == ["2.bin"]
    assert names_in(admin_client.get(f"{LIST}?q=none&state=receiving")) == []
    assert names_in(admin_client.get(f"{LIST}?q=3.bin&state=stored")) == []


def test_a_search_that_takes_long_goes_on_with_next(admin_client, monkeypatch):
    monkeypatch.setattr(walking, "WALK_TIME_S", 0.0)
    monkeypatch.setattr(walking, "FIRST_STEP", 2)
    rows(6)
    response, found = admin_client.get(f"{LIST}?q=5.bin"), []
    assert "stopped here for now" in text_of(response)
    while following := link_in(response, "next"):
        response = admin_client.get(LIST + following)
        found += names_in(response)
    assert found == ["5.bin"]


@pytest.mark.parametrize("page", ["", "?q=bin", "{}/change/"])
def test_bytes_and_hashes_stay_where_they_are(admin_client, page):
    upload = begin(size=3000, received=1000)
    with CaptureQueriesContext(connection) as queries:
        text_of(admin_client.get(LIST + page.format(upload.pk)))
    read = [query["sql"] for query in queries if "upload" in query["sql"]]
    assert read
    for column in ("data", "hash_state", "metadata"):
        quoted = connection.ops.quote_name(column)
        assert not any(quoted in sql for sql in read), column


def test_the_list_asks_as_much_for_many_as_for_few(admin_client, django_assert_max_num_queries):
    ann = User.objects.create_user("ann")
    rows(40, owner=ann)
    with django_assert_max_num_queries(9):
        assert len(names_in(admin_client.get(LIST))) == 40


def test_discard_asks_first_and_gives_the_bytes_up(admin_client):
    file = make_file()
    half, kept = begin("half.bin", 9_000_000, 5_000_000), begin("kept.bin")
    asked = act(admin_client, half)
    text = " ".join(text_of(asked).split())
    assert "1 upload, 4.8 MB" in text
    assert "cannot be undone" in text
    assert "4.8 MB of 8.6 MB" in text
    assert Upload.objects.count() == 2
    response = answered(admin_client, asked)
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert Upload.objects.get() == kept
    assert Content.objects.abandoned().count() == 1
    assert File.objects.get() == file
    event = Event.objects.get(name="upload.discarded")
    assert (event.actor, event.object_type, event.object_id) == ("admin", "upload", None)
    assert event.details == {
        "id": half.pk,
        "name": "half.bin",
        "size": 9_000_000,
        "offset": 5_000_000,
    }
    assert "1 upload was discarded." in told(admin_client)


def test_all_that_are_found_are_discarded_but_not_what_came_later(admin_client, monkeypatch):
    monkeypatch.setattr(runs, "REPORT_S", 0)
    monkeypatch.setattr("files.admin.listing.OperatorAdmin.list_per_page", 2)
    made = rows(250)
    rows(1, state=Upload.State.STORED, file_id=1)
    asked = act(admin_client, made[0], query="?q=bin", select_across="1")
    assert "250 uploads, " in text_of(asked)
    later = begin("later.bin")
    page = text_of(answered(admin_client, asked, f"{LIST}?q=bin"))
    assert "100 of 250" in page
    assert "250 uploads were discarded." in page
    assert f'href="{LIST}"' in page
    assert set(Upload.objects.unfinished()) == {later}
    assert Upload.objects.count() == 2


def test_what_is_finished_or_gone_meanwhile_is_left_alone(admin_client, monkeypatch):
    finished, gone, half = (begin(f"{number}.bin", 5000) for number in range(3))
    run = runs.answer_run

    def first_finish(*given: Any, **options: Any) -> Any:
        piece = resumable.begin_piece(actor=SYSTEM, upload_id=finished.pk, offset=0)
        resumable.append(piece, noise(5000))
        resumable.end_piece(piece)
        resumable.terminate_upload(actor=SYSTEM, upload_id=gone.pk)
        return run(*given, **options)

    asked = act(admin_client, finished, gone, half)
    monkeypatch.setattr(upload_actions, "answer_run", first_finish)
    answered(admin_client, asked)
    assert "1 upload was discarded. 2 were not there any more" in told(admin_client)
    finished.refresh_from_db()
    assert finished.state == Upload.State.STORED
    assert File.objects.count() == 1


def test_one_is_discarded_from_its_page(admin_client):
    upload = begin("half.bin", 5000, 3000)
    page = f"{LIST}{upload.pk}/"
    assert f'href="{page}delete/"' in text_of(admin_client.get(f"{page}change/"))
    response = answered(admin_client, admin_client.get(f"{page}delete/"), f"{page}delete/")
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert not Upload.objects.exists()
    assert admin_client.get(f"{page}delete/").status_code == 404
    assert admin_client.get(f"{page}change/").status_code == 404


@pytest.mark.parametrize("asked", ["", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z", "9" * 99])
def test_an_answer_to_no_question_is_refused(admin_client, asked):
    upload = begin()
    response = act(admin_client, upload, confirmed="1", up_to=asked)
    assert response.status_code == 400
    assert Upload.objects.get() == upload


def test_who_may_look_may_not_discard(staff):
    upload = begin("half.bin")
    client = staff("view_upload")
    assert names_in(client.get(LIST)) == ["half.bin"]
    page = f"{LIST}{upload.pk}/"
    assert "/delete/" not in text_of(client.get(f"{page}change/"))
    assert client.get(f"{page}delete/").status_code == 403
    act(client, upload, confirmed="1", up_to=timezone.now().isoformat())
    assert client.post(f"{page}change/", {"name": "other"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert Upload.objects.get().name == "half.bin"


def test_without_a_permission_there_is_nothing(staff):
    assert staff("view_file").get(LIST).status_code == 403


def test_a_user_with_uploads_can_be_deleted(admin_client):
    ann = User.objects.create_user("ann")
    begin("half.bin", 9_000_000, 5_000_000, actor=actor_for(ann, "open"))
    admin_client.post(f"/admin/auth/user/{ann.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=ann.pk).exists()
    assert not Upload.objects.exists()
    Content.objects.update(keep_until=timezone.now() - timedelta(minutes=1))
    assert Content.objects.abandoned().count() == 1


def test_the_first_page_tells_how_many_there_are(admin_client):
    begin("half.bin", 3000, 1000)
    text = " ".join(text_of(admin_client.get("/admin/")).split())
    assert (
        '<dt>Unfinished uploads</dt> <dd><a href="/admin/files/upload/">1</a></dd> '
        '<dd class="quiet">1000 bytes</dd> <dd class="quiet">oldest: <time' in text
    )


def test_strange_names_are_text(admin_client):
    begin("<script>alert(1)</script>.bin")
    for path in (LIST, f"{LIST}{Upload.objects.get().pk}/change/"):
        assert "<script>alert" not in text_of(admin_client.get(path))
