from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from html import unescape
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from files.tests.factories import make_file
from files.views import browse

pytestmark = pytest.mark.django_db


def page(client: Client, url: str | None = "/", status: int = 200) -> str:
    assert url is not None
    response = client.get(url, headers={"Accept": "text/html"})
    assert response.status_code == status
    return response.content.decode()


def listed(html: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'data-file-name="([^"]*)"', html)]


def link(html: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return unescape(found[1]) if found else None


def squeeze(html: str) -> str:
    return re.sub(r"\s+", " ", html).replace("\N{NO-BREAK SPACE}", " ")


def test_empty_list_asks_for_the_first_file(client):
    html = page(client)
    assert "No files yet." in html
    assert 'href="/add/">Upload the first one' in html


def test_groups_show_count_and_bytes(client):
    make_file(b"a" * 1024, name="a.pdf")
    make_file(b"b" * 1024, name="b.PDF")
    make_file(b"123", name="README")
    html = squeeze(page(client))
    assert "3 files · 2.0 KB" in html
    assert '<h2 class="h6 mb-0 text-break">PDF</h2>' in html
    assert "2 files · 2.0 KB" in html
    assert "1 file · 3 bytes" in html
    assert listed(html) == ["b.PDF", "a.pdf", "README"], "without a suffix comes last"


def test_a_group_shows_its_newest_and_leads_to_the_rest(client, monkeypatch):
    monkeypatch.setattr(browse, "FILES_IN_GROUPS", 10)
    for number in range(12):
        make_file(name=f"{number:02d}.pdf")
    html = page(client)
    assert listed(html) == [f"{number:02d}.pdf" for number in range(11, 1, -1)]
    assert 'href="/?suffix=pdf"' in html and "Show all 12" in html
    html = page(client, "/?suffix=pdf")
    assert len(listed(html)) == 12
    assert "12 files" in squeeze(html)


def test_files_without_suffix_are_a_group_of_their_own(client, monkeypatch):
    monkeypatch.setattr(browse, "FILES_IN_GROUPS", 20)
    for number in range(11):
        make_file(name=f"file{number}")
    make_file(name="a.txt")
    html = page(client)
    assert 'href="/?suffix="' in html
    assert len(listed(page(client, "/?suffix="))) == 11


def test_groups_are_paged(client):
    for number in range(43):
        make_file(name=f"a.s{number:02d}")
    seen: list[list[str]] = []
    url: str | None = "/?ordering=name"
    while url:
        html = page(client, url)
        seen.append(listed(html))
        url = link(html, "next")
    assert [len(names) for names in seen] == [20, 20, 3]
    assert sum(seen, []) == [f"a.s{number:02d}" for number in range(43)]
    assert listed(page(client, "/?page=99")) == seen[2], "the last page, when groups have gone"


@pytest.mark.parametrize("ordering", ["name", "-name", "size", "-size", "upload_date", ""])
def test_one_group_is_paged_there_and_back(client, ordering):
    # Sizes with many ties.
    for number in range(103):
        make_file(b"%03d" % number + b"x" * (number % 4), name=f"{number:03d}.bin")
    make_file(name="other.txt")
    pages: list[list[str]] = []
    url: str | None = "/?suffix=bin" + (f"&ordering={ordering}" if ordering else "")
    previous: str | None = None
    while url:
        html = page(client, url)
        pages.append(listed(html))
        previous, url = link(html, "prev"), link(html, "next")
    assert [len(names) for names in pages] == [50, 50, 3]
    assert len(set(sum(pages, []))) == 103
    html = page(client, previous)
    assert listed(html) == pages[1]
    html = page(client, link(html, "prev"))
    assert listed(html) == pages[0]
    assert link(html, "prev") is None
    assert listed(page(client, link(html, "next"))) == pages[1]


def test_headings_sort_and_turn_round(client):
    make_file(b"1", name="b.txt")
    make_file(b"22", name="a.txt")
    assert listed(page(client)) == ["a.txt", "b.txt"]
    assert listed(page(client, "/?ordering=name")) == ["a.txt", "b.txt"]
    assert listed(page(client, "/?ordering=-name")) == ["b.txt", "a.txt"]
    assert listed(page(client, "/?ordering=size")) == ["b.txt", "a.txt"]
    html = page(client, "/?ordering=name")
    assert 'aria-sort="ascending"' in html
    assert 'href="?ordering=-name"' in html and 'href="?ordering=-size"' in html


def test_search_finds_part_of_the_name(client):
    make_file(name="Quarterly Report.pdf")
    make_file(name="report-2.txt")
    make_file(name="100%.txt")
    assert listed(page(client, "/?q=REPORT")) == ["report-2.txt", "Quarterly Report.pdf"]
    assert listed(page(client, "/?q=report&suffix=pdf")) == ["Quarterly Report.pdf"]
    assert listed(page(client, "/?q=%25")) == ["100%.txt"]
    assert "Nothing was found." in page(client, "/?q=nowhere")
    assert len(listed(page(client, "/?q=+"))) == 3, "an empty search is the grouped list"


def test_search_is_paged_and_keeps_its_words(client):
    for number in range(51):
        make_file(name=f"report {number}.txt")
    html = page(client, "/?q=report&ordering=name")
    assert 'name="q" value="report"' in html
    assert '<input type="hidden" name="ordering" value="name"' in html
    assert len(listed(page(client, link(html, "next")))) == 1


def test_names_are_text_and_never_markup(client):
    file = make_file(name="<img src=x>&'\"{name}.html")
    html = page(client)
    assert "<img src=x>" not in html
    assert listed(html) == [file.name]


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=x",
        "page=-1",
        "page=²",
        "page=99999999999999999999",
        "ordering=data",
        "ordering=suffix",
        "ordering=--name",
        "q=%00",
        "q=" + "x" * 256,
        "suffix=%00",
        "suffix=pdf&after=x",
        "suffix=pdf&after=é",
        "suffix=pdf&after=" + "A" * 2001,
        *(
            f"suffix=pdf&ordering={ordering}&after={urlsafe_b64encode(cursor).decode()}"
            for ordering, cursor in [
                ("size", b"1"),
                ("size", b"[]"),
                ("size", b'{"a": 1}'),
                ("size", b"[" * 1000),
                ("size", b"\xff"),
                ("size", b'["x", "2026-03-01", 1]'),
                ("size", b'[true, "2026-03-01", 1]'),
                ("size", b'[-1, "2026-03-01", 1]'),
                ("size", b'[9223372036854775808, "2026-03-01", 1]'),
                ("size", b'[1, "2026-03-01", 9223372036854775808]'),
                ("size", b'[1, "2026-03-01", null]'),
                ("size", b'[1, "2026-03-01"]'),
                ("name", b'["a\\u0000b", "2026-03-01", 1]'),
                ("name", b'["\\ud800", "2026-03-01", 1]'),
                ("name", b'[5, "2026-03-01", 1]'),
                ("upload_date", b'["yesterday", 1]'),
                ("upload_date", b'["9999-12-31T23:59:59-12:00", 1]'),
                ("upload_date", b'["0001-01-01T00:00:00+12:00", 1]'),
            ]
        ),
    ],
)
def test_what_cannot_be_is_said_in_words(client, query):
    html = page(client, "/?" + query, status=400)
    assert "Not understood" in html
    assert "Traceback" not in html


def test_queries_are_bounded(client, django_assert_num_queries):
    for number in range(25):
        make_file(name=f"a.s{number}")
        make_file(name=f"b.s{number}")
    with django_assert_num_queries(21):
        page(client)
    with django_assert_num_queries(2):
        html = page(client, "/?suffix=s1")
    # Labels of that name, then files; servers look up names before.
    with django_assert_num_queries(2 if connection.vendor == "sqlite" else 3):
        page(client, "/?q=a")
    assert len(listed(html)) == 2


@pytest.mark.parametrize("url", ["/", "/?suffix=txt", "/?q=f"])
def test_no_query_reads_content_or_counts_rows(client, url):
    make_file(b"x" * 5000, name="f.txt")
    make_file(b"y", name="g.txt")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page(client, url)
    for query in queries:
        assert '"data"' not in query["sql"] and "`data`" not in query["sql"]
        assert "COUNT(" not in query["sql"]


def test_who_may_only_look_sees_no_upload_and_no_delete(client, settings):
    settings.FILESERVER_ACCESS = "read"
    file = make_file()
    html = page(client)
    assert listed(html) == [file.name]
    assert "upload-form" not in html and "/delete/" not in html.replace('"/delete/0"', "")
    assert "Sign in" in html


def test_private_asks_strangers_to_sign_in(client, settings):
    settings.FILESERVER_ACCESS = "private"
    file = make_file()
    response = client.get("/?q=x", headers={"Accept": "text/html"})
    assert response.status_code == 302
    assert response["Location"].endswith("?next=" + quote("/?q=x", safe="/"))
    client.force_login(get_user_model().objects.create_user("somebody"))
    html = page(client)
    assert listed(html) == [file.name]
    assert "Sign out" in html


def test_only_looking_is_allowed(client):
    assert client.head("/").status_code == 200
    response = client.post("/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
