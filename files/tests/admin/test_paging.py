"""Pages of the lists: keys in the address, bounded time, honest counts."""

from __future__ import annotations

import pytest

from files.actors import DEFAULT_SPACE_ID
from files.admin import walking
from files.models import File, Label
from files.tests.admin.pages import LIST, count_in, link_in, make_library, names_in, text_of
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "query", ["", "o=1", "o=-3", "suffix=txt", "q=txt", "state=all", "size=tiny", "label=1&q=."]
)
@pytest.mark.parametrize("budget", [0.0, 10.0])
def test_pages_hold_every_file_once_and_lead_back(admin_client, monkeypatch, query, budget):
    monkeypatch.setattr("files.admin.listing.OperatorAdmin.list_per_page", 3)
    monkeypatch.setattr(walking, "WALK_TIME_S", budget)
    monkeypatch.setattr(walking, "FIRST_STEP", 2)
    files = make_library(11)
    label = Label.objects.create(pk=1, space_id=DEFAULT_SPACE_ID, name="red")
    label.files.set(files)
    # Equal dates: the id decides.
    File.objects.filter(pk__in=[file.pk for file in files[3:8]]).update(
        upload_date=files[5].upload_date
    )
    path, last = f"{LIST}?{query}", ""
    forward: list[str] = []
    pages = 0
    while path:
        response = admin_client.get(path)
        forward += names_in(response)
        last, pages = path, pages + 1
        following = link_in(response, "next")
        path = following and LIST + following
        assert pages < 20
    assert sorted(forward) == sorted(file.name for file in files)
    backward: list[str] = []
    path = last
    while path:
        response = admin_client.get(path)
        backward = names_in(response) + backward
        previous = link_in(response, "prev")
        path = previous and LIST + previous
    assert backward == forward


def test_a_search_that_takes_long_says_so_and_goes_on(admin_client, monkeypatch):
    monkeypatch.setattr(walking, "WALK_TIME_S", 0.0)
    monkeypatch.setattr(walking, "FIRST_STEP", 2)
    make_library(6)
    response = admin_client.get(f"{LIST}?q=0.txt")
    assert names_in(response) == []
    assert "stopped here for now" in text_of(response)
    found = []
    while following := link_in(response, "next"):
        response = admin_client.get(LIST + following)
        found += names_in(response)
    assert found == ["0.txt"]


def test_counts_are_exact_or_say_that_they_are_not(admin_client, monkeypatch):
    monkeypatch.setattr("files.admin.listing.OperatorAdmin.list_per_page", 2)
    monkeypatch.setattr("files.admin.listing.COUNTED", 3)
    make_library(5)
    assert count_in(admin_client.get(LIST)) == "5 files"
    assert count_in(admin_client.get(f"{LIST}?suffix=txt")) == "5 files"
    assert count_in(admin_client.get(f"{LIST}?uploaded=today")) == "more than 3 files"
    assert count_in(admin_client.get(f"{LIST}?q=txt")) == "2 shown, not counted"
    assert count_in(admin_client.get(f"{LIST}?q=4.txt")) == "1 file"


@pytest.mark.parametrize(
    "query",
    [
        "state=x",
        "size=x",
        "uploaded=x",
        "space=99",
        "label=x",
        "unknown=1",
        "suffix=%00",
        "after=x",
        "after=[]",
        "after=[null,1]",
        "after=[1.5,2]",
        'after=["x",1]',
        'after=["2026-01-01T00:00:00",1]',
        'before=["2026-01-01",1]',
        'after=["9999-12-31T23:59:59-14:00",1]',
        'before=["0001-01-01T00:00:00%2B14:00",1]',
        'o=1&after=["\\ud800","2026-01-01T00:00:00Z",1]',
        'o=1&after=["\\u0000","2026-01-01T00:00:00Z",1]',
        "after=" + "[" * 5000,
    ],
)
def test_wrong_addresses_lead_to_the_list(admin_client, query):
    response = admin_client.get(f"{LIST}?{query}")
    assert (response.status_code, response["Location"]) == (302, f"{LIST}?e=1")
    assert admin_client.get(f"{LIST}?e=1").status_code == 200


def test_numbers_beyond_the_database_are_no_failure(admin_client):
    make_file()
    number = 10**30
    for query in (f'after=["2026-01-01T00:00:00Z",{number}]', f"o=3&after=[{number},null,1]"):
        assert admin_client.get(f"{LIST}?{query}").status_code in (200, 302)
