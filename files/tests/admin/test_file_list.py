from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import File, Label, Space
from files.services.deletion import delete_file
from files.services.editing import edit_file
from files.tests.admin.pages import LIST, make_library, names_in, run_action, text_of
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db

HOSTILE = [
    "<script>alert(1)</script>.txt",
    '"><img src=x onerror=alert(1)>.txt',
    "=HYPERLINK(1).txt",
    "אבג & \u05d0.pdf",
    "{{ 7|add:7 }}.txt",
]


def test_list_shows_what_operators_look_for(admin_client):
    owned = make_file(b"small", name="a.pdf")
    make_file(b"x" * 5000, name="long.bin")
    text = text_of(admin_client.get(LIST))
    for part in ("bi-filetype-pdf", "<bdi>a.pdf</bdi>", ">PDF<", "5\xa0bytes", "4.9\xa0KB"):
        assert part in text
    assert owned.hash[:10] in text
    assert f'datetime="{owned.upload_date.isoformat(timespec="seconds")}"' in text
    assert 'field-home">row<' in text
    assert 'field-home">database<' in text
    assert 'field-state">live<' in text
    assert str(Space.objects.get()) in text


@pytest.mark.parametrize(
    "query", ["", "?state=trash", "?state=all", "?q=a", "?suffix=txt&size=tiny"]
)
def test_no_list_reads_content(admin_client, query):
    make_file(name="a.txt")
    delete_file(actor=SYSTEM, file_id=make_file(name="b.txt").pk)
    with CaptureQueriesContext(connection) as queries:
        assert names_in(admin_client.get(LIST + query))
    assert not [query["sql"] for query in queries if '"data"' in query["sql"]]


def test_queries_do_not_grow_with_the_list(admin_client, django_assert_max_num_queries):
    for file in make_library(40):
        edit_file(actor=SYSTEM, file_id=file.pk, folder="x")
    for query in ("", "?suffix=txt", "?size=tiny", "?q=1", "?state=all"):
        with django_assert_max_num_queries(14):
            admin_client.get(LIST + query)


def test_trash_is_there_when_asked_for(admin_client):
    files = make_library(3)
    delete_file(actor=SYSTEM, file_id=files[1].pk)
    assert names_in(admin_client.get(LIST)) == ["2.txt", "0.txt"]
    assert names_in(admin_client.get(f"{LIST}?state=live")) == ["2.txt", "0.txt"]
    trash = admin_client.get(f"{LIST}?state=trash")
    assert names_in(trash) == ["1.txt"]
    assert "in the trash since" in text_of(trash)
    assert names_in(admin_client.get(f"{LIST}?state=all")) == ["2.txt", "1.txt", "0.txt"]


def test_filters(admin_client, admin_user):
    label = Label.objects.create(space_id=DEFAULT_SPACE_ID, name="red")
    make_file(b"%PDF-1.4 x", name="a.pdf", folder="in")
    make_file(b"", name="none")
    old = make_file(name="old.txt")
    mine = make_file(name="mine.txt")
    File.objects.filter(pk=old.pk).update(upload_date=timezone.now() - timedelta(days=10))
    File.objects.filter(pk=mine.pk).update(owner=admin_user)
    edit_file(actor=SYSTEM, file_id=mine.pk, labels=["red"])
    expected = {
        "suffix=pdf": ["a.pdf"],
        "suffix=.PDF": ["a.pdf"],
        "suffix=.": ["none"],
        "suffix=": ["mine.txt", "none", "a.pdf", "old.txt"],
        "uploaded=today": ["mine.txt", "none", "a.pdf"],
        "uploaded=week": ["mine.txt", "none", "a.pdf"],
        "uploaded=month": ["mine.txt", "none", "a.pdf", "old.txt"],
        "size=empty": ["none"],
        "size=huge": [],
        "owner=admin": ["mine.txt"],
        "owner=%2Fnobody": ["none", "a.pdf", "old.txt"],
        "owner=stranger": [],
        f"label={label.pk}": ["mine.txt"],
        "mime_type=application/pdf": ["a.pdf"],
        "folder=in": ["a.pdf"],
        "suffix=txt&owner=admin": ["mine.txt"],
        "suffix=txt&owner=%2Fnobody&uploaded=week": [],
        "size=tiny&mime_type=application/pdf": ["a.pdf"],
    }
    found = {query: names_in(admin_client.get(f"{LIST}?{query}")) for query in expected}
    assert found == expected
    all_of = {query: names_in(admin_client.get(f"{LIST}?{query}&state=all")) for query in expected}
    assert {q: sorted(names) for q, names in all_of.items()} == {
        q: sorted(names) for q, names in expected.items()
    }


def test_owners_go_by_what_the_user_model_calls_its_users(admin_client, admin_user, monkeypatch):
    make_file(name="none.txt")
    mine = make_file(name="mine.txt")
    File.objects.filter(pk=mine.pk).update(owner=admin_user)
    monkeypatch.setattr(type(admin_user), "USERNAME_FIELD", "email")
    response = admin_client.get(f"{LIST}?owner={admin_user.email}")
    assert names_in(response) == ["mine.txt"]
    assert f"<bdi>{admin_user.email}</bdi>" in text_of(response)


@pytest.mark.parametrize("state", ["live", "trash", "all"])
def test_search(admin_client, state):
    files = [make_file(name=name) for name in ("Report.txt", "other.txt", "a_b.txt", "a%b.txt")]
    if state == "trash":
        for file in files:
            delete_file(actor=SYSTEM, file_id=file.pk)
    for query, names in {
        "report": ["Report.txt"],
        " REP ": ["Report.txt"],
        "%25": ["a%b.txt"],
        "_": ["a_b.txt"],
        "nothing": [],
        "%00": ["Report.txt", "other.txt", "a_b.txt", "a%b.txt"],
        files[0].hash: ["Report.txt"],
        files[0].hash.upper(): ["Report.txt"],
        "0" * 64: [],
        "9" * 80: [],
    }.items():
        found = names_in(admin_client.get(f"{LIST}?state={state}&q={query}"))
        assert sorted(found) == sorted(names), query


def test_hash_is_found_in_the_trash_too(admin_client):
    file = make_file(name="gone.txt")
    delete_file(actor=SYSTEM, file_id=file.pk)
    assert names_in(admin_client.get(f"{LIST}?q={file.hash}")) == ["gone.txt"]
    assert names_in(admin_client.get(f"{LIST}?q={file.hash}&state=live")) == []


def test_an_id_is_found_first(admin_client):
    first = make_file(name="first.txt")
    make_file(name=f"{first.pk} in the name.txt")
    found = names_in(admin_client.get(f"{LIST}?q={first.pk}"))
    assert found == ["first.txt", f"{first.pk} in the name.txt"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("o=1", ["0.txt", "1.txt", "2.txt"]),
        ("o=-1", ["2.txt", "1.txt", "0.txt"]),
        ("o=3", ["0.txt", "1.txt", "2.txt"]),
        ("o=-3.1", ["2.txt", "1.txt", "0.txt"]),
        ("o=4", ["0.txt", "1.txt", "2.txt"]),
        ("size=tiny", ["2.txt", "1.txt", "0.txt"]),
        ("size=tiny&o=3", ["0.txt", "1.txt", "2.txt"]),
        # No index gives these: they are in the usual order.
        ("o=5", ["2.txt", "1.txt", "0.txt"]),
        ("o=99", ["2.txt", "1.txt", "0.txt"]),
        ("o=x", ["2.txt", "1.txt", "0.txt"]),
        ("o=1&owner=%2Fnobody", ["2.txt", "1.txt", "0.txt"]),
        ("o=1&q=txt", ["2.txt", "1.txt", "0.txt"]),
        ("o=1&state=all", ["2.txt", "1.txt", "0.txt"]),
    ],
)
def test_orders_that_an_index_gives(admin_client, query, names):
    make_library(3)
    assert names_in(admin_client.get(f"{LIST}?{query}")) == names


def test_selected_ids_that_cannot_be_are_400(admin_client):
    response = run_action(admin_client, "verify", make_file(), _selected_action=["1", "x"])
    assert response.status_code == 400


def test_hostile_names_stay_text_everywhere(admin_client):
    for name in HOSTILE:
        file = make_file(name=name, folder=name)
        Label.objects.create(space_id=DEFAULT_SPACE_ID, name=f"{name} label")
        paths = [
            "/admin/",
            LIST,
            f"{LIST}?q={name[:3]}",
            "/admin/files/event/",
            "/admin/files/label/",
        ]
        paths += [f"{LIST}{file.pk}/{page}/" for page in ("change", "delete", "purge", "history")]
        for path in paths:
            text = text_of(admin_client.get(path))
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "14.txt" not in text
        assert file.name in names_in(admin_client.get(LIST))
        confirm = text_of(run_action(admin_client, "purge", file))
        assert "<script>alert" not in confirm


def test_spaces_are_listed_one_at_a_time(admin_client):
    make_file(name="here.txt")
    other = Space.objects.create(name="Other <b>")
    there = make_file(name="there.txt")
    File.objects.filter(pk=there.pk).update(space=other)
    assert names_in(admin_client.get(LIST)) == ["here.txt"]
    response = admin_client.get(f"{LIST}?space={other.pk}")
    assert names_in(response) == ["there.txt"]
    assert "Other &lt;b&gt;" in text_of(response)
    assert names_in(admin_client.get(f"{LIST}?space={other.pk}&state=all")) == ["there.txt"]
