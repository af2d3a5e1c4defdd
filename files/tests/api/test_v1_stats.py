from __future__ import annotations

import pytest

from files.actors import SYSTEM
from files.services.deletion import delete_file
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def test_groups_with_count_and_bytes(client):
    make_file(b"one", name="a.txt")
    make_file(b"three", name="b.txt")
    make_file(b"x", name="c")
    assert client.get("/api/v1/types/").json() == {
        "results": [
            {"suffix": "", "count": 1, "bytes": 1},
            {"suffix": "txt", "count": 2, "bytes": 8},
        ]
    }


def test_the_library_in_figures(client):
    make_file(b"one", name="a.txt")
    delete_file(actor=SYSTEM, file_id=make_file(b"three", name="b.pdf").pk)
    figures = client.get("/api/v1/stats/?days=3").json()
    assert figures["files"] == {"count": 1, "bytes": 3}
    assert figures["trash"] == {"count": 1, "bytes": 5}
    assert figures["types"] == [{"count": 1, "bytes": 3, "suffix": "txt"}]
    assert [day["count"] for day in figures["days"]] == [0, 0, 1]
    assert figures["homes"] == [{"count": 2, "bytes": 8, "home": "database"}]
    assert figures["duplicates_refused"] == 0


@pytest.mark.parametrize("days", ["0", "-1", "x", "3661", "", "9" * 5000])
def test_days_that_cannot_be_are_400(client, days):
    response = client.get("/api/v1/stats/", {"days": days})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_filter")


@pytest.mark.parametrize("path", ["stats", "types", "labels"])
def test_an_unknown_parameter_is_400(client, path):
    response = client.get(f"/api/v1/{path}/?colour=red")
    assert response.status_code == 400
    assert response.json()["errors"].keys() == {"colour"}
