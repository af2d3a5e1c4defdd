from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from files.actors import DEFAULT_SPACE_ID
from files.api.viewsets import file as viewsets
from files.models import File, Label
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


def listed(client, **parameters) -> list[dict[str, Any]]:
    response = client.get("/files", parameters)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    files: list[dict[str, Any]] = json.loads(response.getvalue())
    return files


def names(client, **parameters) -> list[str]:
    return [file["name"] for file in listed(client, **parameters)]


@pytest.fixture
def library() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    for number, (name, size, folder) in enumerate(
        [("b.txt", 30, ""), ("a.PDF", 10, "x"), ("Ä.txt", 20, "x/y"), ("c", 5000, "")]
    ):
        file = make_file(noise(size, number), name=name, folder=folder)
        File.objects.filter(pk=file.pk).update(upload_date=day + timedelta(days=number))


def test_an_empty_library_is_an_empty_array(client):
    assert listed(client) == []


def test_newest_first(client, library):
    assert names(client) == ["c", "Ä.txt", "a.PDF", "b.txt"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"q": "a"}, ["a.PDF"]),
        ({"q": ".T"}, ["Ä.txt", "b.txt"]),
        ({"q": "Ä.T"}, ["Ä.txt"]),
        ({"name": "a.PDF"}, ["a.PDF"]),
        ({"name": "A.pdf"}, []),
        ({"suffix": "txt"}, ["Ä.txt", "b.txt"]),
        ({"suffix": ["txt", "pdf"]}, ["Ä.txt", "a.PDF", "b.txt"]),
        ({"suffix": ""}, ["c"]),
        ({"folder": "x"}, ["a.PDF"]),
        ({"min_size": 20}, ["c", "Ä.txt", "b.txt"]),
        ({"max_size": 20}, ["Ä.txt", "a.PDF"]),
        ({"min_size": 20, "max_size": 30}, ["Ä.txt", "b.txt"]),
        ({"min_size": (1 << 63) - 1}, []),
        ({"uploaded_after": "2026-03-03"}, ["c", "Ä.txt"]),
        ({"uploaded_before": "2026-03-02T00:00:00+00:00"}, ["b.txt"]),
        ({"uploaded_before": "2026-03-02T00:00:01 00:00"}, ["a.PDF", "b.txt"]),
        ({"mime_type": "application/x-nothing"}, []),
        ({"mime_type": "text/plaïn"}, []),
        ({"owner": 1}, []),
        ({"ordering": "name"}, ["a.PDF", "b.txt", "c", "Ä.txt"]),
        ({"ordering": "-size"}, ["c", "b.txt", "Ä.txt", "a.PDF"]),
        ({"ordering": "size"}, ["a.PDF", "Ä.txt", "b.txt", "c"]),
        ({"ordering": "suffix"}, ["c", "a.PDF", "b.txt", "Ä.txt"]),
        ({"ordering": "upload_date"}, ["b.txt", "a.PDF", "Ä.txt", "c"]),
    ],
)
def test_filters(client, library, parameters, expected):
    found = names(client, **parameters)
    if "ordering" in parameters:
        assert found == expected
    else:
        assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("nonsense=1", "nonsense"),
        ("min_size=big", "min_size"),
        ("uploaded_after=yesterday", "uploaded_after"),
        ("uploaded_after=2026-02-30", "uploaded_after"),
        ("ordering=colour", "ordering"),
        ("ordering=--size", "ordering"),
        ("owner=me", "owner"),
        ("owner=9223372036854775808", "owner"),
        ("min_size=1" + "0" * 30, "min_size"),
        ("uploaded_after=9999-12-31T23:59:59-23:59", "uploaded_after"),
        ("uploaded_before=0001-01-01T00:00:00%2B23:59", "uploaded_before"),
        ("name=a&name=b", "name"),
        ("suffix=%00", "suffix"),
        ("q=%00", "q"),
    ],
)
def test_a_bad_filter_is_named(client, query, parameter):
    response = client.get(f"/files?{query}")
    problem = response.json()
    assert response.status_code == 400
    assert problem["code"] == "invalid_filter"
    assert list(problem["errors"]) == [parameter]


@pytest.mark.parametrize("ordering", ["upload_date", "-name", "size", "-size", "suffix", "-suffix"])
def test_batches_join_without_a_gap(client, monkeypatch, ordering):
    chance = random.Random(3)
    for number in range(23):
        # Few sizes and suffixes, so that pages end amid equal ones.
        data = b"%02d" % number + b"x" * chance.choice([0, 5])
        make_file(data, name=f"{chance.choice('abc')}.{chance.choice(['', 'txt', 'pdf'])}")
    whole = [file["id"] for file in listed(client, ordering=ordering)]
    assert sorted(whole) == sorted(File.objects.values_list("pk", flat=True))
    monkeypatch.setattr(viewsets, "LIST_BATCH", 4)
    assert [file["id"] for file in listed(client, ordering=ordering)] == whole


@pytest.mark.parametrize("ordering", ["upload_date", "-name", "size", "suffix"])
def test_a_page_before_is_the_page_after_backwards(ordering):
    for number in range(12):
        make_file(b"%02d" % number, name=f"{number % 3}.{number % 2}")
    whole = File.objects.page(ordering, 100)
    assert File.objects.page(ordering, 100, whole[7], reverse=True) == whole[:7][::-1]
    assert File.objects.page(ordering, 3, whole[7], reverse=True) == whole[4:7][::-1]


def test_a_list_never_reads_content(client):
    for number in range(3):
        make_file(noise(1000, number))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(listed(client)) == 3
    # Files, and their labels.
    assert len(queries) == 2
    for query in queries:
        assert not re.search(r"""["`](data|chunk)["`]""", query["sql"])


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
@pytest.mark.parametrize(
    "parameters",
    [
        {"ordering": ordering}
        for ordering in ("upload_date", "-upload_date", "name", "-size", "suffix", "-suffix")
    ]
    + [
        {"suffix": "txt"},
        {"suffix": "txt", "ordering": "name"},
        {"suffix": "txt", "ordering": "-size"},
        {"folder": "x", "ordering": "name"},
        {"mime_type": "text/plain"},
    ],
)
def test_no_list_sorts_or_scans(client, parameters, library, monkeypatch):
    monkeypatch.setattr(viewsets, "LIST_BATCH", 1)
    with CaptureQueriesContext(connection) as queries:
        listed(client, **parameters)
    assert queries
    for query in queries:
        with connection.cursor() as cursor:
            plan = cursor.execute("EXPLAIN QUERY PLAN " + query["sql"]).fetchall()
        steps = [row[3] for row in plan]
        assert all(re.match(r"SEARCH \w+ USING \w+", step) for step in steps), steps


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
@pytest.mark.parametrize(
    ("parameters", "searched"),
    [
        ({"name": "c"}, "file_by_name (space_id=? AND deleted_at=? AND name=?)"),
        ({"folder": "x"}, "file_by_folder (space_id=? AND deleted_at=? AND folder=?)"),
        ({"owner": 1}, "file_by_owner (space_id=? AND deleted_at=? AND owner_id=?)"),
        ({"suffix": "c"}, "file_by_suffix (space_id=? AND deleted_at=? AND suffix=?)"),
        ({"mime_type": "a/b"}, "file_by_mime_type (space_id=? AND deleted_at=? AND mime_type=?)"),
        (
            {"uploaded_after": "2026-03-02"},
            "file_by_upload_date (space_id=? AND deleted_at=? AND upload_date>?)",
        ),
        (
            {"min_size": 20, "ordering": "size"},
            "file_by_size (space_id=? AND deleted_at=? AND size>?)",
        ),
    ],
)
def test_every_filter_is_searched_by_its_own_index(client, parameters, searched, library):
    with CaptureQueriesContext(connection) as queries:
        listed(client, **parameters)
    with connection.cursor() as cursor:
        plan = cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"]).fetchall()
    assert [row[3] for row in plan] == [f"SEARCH file USING INDEX {searched}"]


@pytest.mark.parametrize("few", [0, 500])
def test_labels_find_each_file_once(client, library, monkeypatch, few):
    monkeypatch.setattr("files.filters.MOST_IDS", few)
    labels = [Label.objects.create(space_id=DEFAULT_SPACE_ID, name=name) for name in ("one", "two")]
    for file in File.objects.filter(suffix="txt"):
        file.labels.set(labels)
    assert names(client, label=["one", "two"]) == names(client, label="two") == ["Ä.txt", "b.txt"]
    assert names(client, label="three") == []
    assert names(client, q="tw") == ["Ä.txt", "b.txt"]
    assert names(client, q="o", suffix="txt", label="one") == ["Ä.txt", "b.txt"]
