"""Pages of a list are read from the index of its order, on every database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from operator import attrgetter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import ORDERINGS, File, first_rows, in_index_order
from files.services.deletion import delete_file
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db

MANY, LIMIT = 600, 10


def live():
    return File.objects.in_space(DEFAULT_SPACE_ID)


@pytest.fixture
def library() -> list[File]:
    files = [make_file(b"%d" % number * (number % 5 + 1)) for number in range(30)]
    delete_file(actor=SYSTEM, file_id=files[3].pk)
    return files


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("ordering", list(ORDERINGS))
def test_rows_are_those_of_a_plain_query_in_its_order(library, ordering, sign):
    terms = [sign + column for column in ORDERINGS[ordering]]
    for rows in (live(), live().filter(size__gt=2), File.everything.all(), live().none()):
        ordered = rows.order_by(*terms)
        assert list(first_rows(ordered, 7)) == list(ordered[:7])
        assert list(in_index_order(ordered)) == list(ordered)


def test_rows_keep_what_was_asked_of_them(library):
    rows = live().order_by("-size", "-id").select_related("owner").only("name", "owner")
    (first, *_) = first_rows(rows, 3)
    assert "hash" in first.get_deferred_fields()
    assert [row.id for row in first_rows(live().as_rows().order_by("id"), 2)] == [
        file.pk for file in library[:2]
    ]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others see it by themselves")
def test_postgresql_is_told_that_what_is_null_is_in_order():
    terms = in_index_order(live().order_by("-name", "-id")).query.order_by
    assert terms == ("-deleted_at", "-name", "-id")
    assert in_index_order(live().order_by("-id")).query.order_by == ("-id",)
    trash = File.everything.exclude(deleted_at=None).order_by("name")
    assert in_index_order(trash).query.order_by == ("name",)


@pytest.fixture
def many() -> list[File]:
    """Return so many files that no planner would rather read all of them."""
    first = make_file()
    values = {field.attname: getattr(first, field.attname) for field in File._meta.concrete_fields}
    del values["id"]
    made = [
        values
        | {
            "name": f"{number:04}.txt",
            "suffix": f"{number // 20:02}",
            "size": number // 3,
            "hash": f"{number:064}",
            "upload_date": first.upload_date + timedelta(seconds=number),
        }
        for number in range(MANY)
    ]
    File.everything.bulk_create(File(**one) for one in made)
    analyze = {"mysql": "ANALYZE TABLE file", "postgresql": "ANALYZE file"}
    with connection.cursor() as cursor:
        cursor.execute(analyze[connection.vendor])
    return list(live())


def places(many: list[File]) -> Iterator[tuple[str, File]]:
    """Return each order with files near its beginning, in its middle and near its end."""
    for ordering, columns in ORDERINGS.items():
        ordered = sorted(many, key=attrgetter(*columns))
        for sign in ("", "-"):
            for place in (3 * LIMIT, MANY // 2, MANY - 3 * LIMIT):
                yield sign + ordering, ordered[place]


def rows_read() -> int:
    """Return how many rows this connection has read in indexes and tables, as MariaDB counts."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(count) for _name, count in cursor.fetchall())


# ANALYZE commits.
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.skipif(connection.vendor != "mysql", reason="about MySQL: what it says it has read")
def test_mariadb_reads_little_more_than_the_page(many):
    for ordering, file in places(many):
        before = rows_read()
        assert len(live().page(ordering, LIMIT, file)) == LIMIT
        # Half of all where it steps over what lies before the page.
        assert rows_read() - before < MANY // 4, ordering


def steps_of(statement: str) -> list[str]:
    """Return the steps of PostgreSQL's plan."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    nodes = [one["Plan"] for one in (json.loads(found) if isinstance(found, str) else found)]
    for node in nodes:
        nodes += node.get("Plans", [])
    return [node["Node Type"] for node in nodes]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL: its plans")
def test_postgresql_sorts_no_page(many):
    with connection.cursor() as cursor:
        # To sort some tens of rows may be quicker: it shall tell whether it must.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    for ordering, file in places(many):
        with CaptureQueriesContext(connection) as queries:
            assert len(live().page(ordering, LIMIT, file)) == LIMIT
        for query in queries.captured_queries:
            assert steps_of(query["sql"]) in (["Limit", "Index Scan"], ["Limit", "Index Only Scan"])
    with CaptureQueriesContext(connection) as queries:
        list(live().order_by("name", "upload_date", "id")[:LIMIT])
    # Else nothing was tested.
    assert {"Sort", "Incremental Sort"} & set(steps_of(queries.captured_queries[0]["sql"]))
