from __future__ import annotations

import json

import pytest

from files.models import Label
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db

LABELS = "/api/v1/labels/"


def send(client, method: str, url: str, **fields):
    return getattr(client, method)(url, json.dumps(fields), content_type="application/json")


def test_a_label_from_first_to_last(client):
    made = send(client, "post", LABELS, name="urgent", color="#ff0000")
    assert made.status_code == 201
    url, told = made["Location"], made.json()
    assert told == {"id": told["id"], "name": "urgent", "color": "#ff0000"}
    assert client.get(url).json() == told
    changed = send(client, "patch", url, name="later").json()
    assert changed == told | {"name": "later"}
    assert client.get(LABELS).json() == {"results": [changed]}
    file = make_file()
    file.labels.add(Label.objects.get())
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == client.delete(url).status_code == 404
    assert file.labels.count() == 0


@pytest.mark.parametrize(
    "fields",
    [{}, {"name": ""}, {"name": "x", "color": "red"}, {"name": "x", "id": 3}, {"color": "#ff0000"}],
)
def test_a_label_that_cannot_be_is_400(client, fields):
    assert send(client, "post", LABELS, **fields).status_code == 400
    assert not Label.objects.exists()


def test_a_name_is_taken_once(client):
    send(client, "post", LABELS, name="urgent")
    response = send(client, "post", LABELS, name="urgent")
    assert response.json()["errors"].keys() == {"name"}
