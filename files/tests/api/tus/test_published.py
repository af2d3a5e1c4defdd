"""Behind a proxy, with a prefix and TLS that end there."""

from __future__ import annotations

import os

import pytest

from files.tests.api.tus.conftest import PREFIX
from files.tests.api.tus.raw import COLLECTION, TusClient

pytestmark = pytest.mark.live

# What the proxy says of what the client sent it.
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}


@pytest.mark.parametrize("sent", [COLLECTION, PREFIX + COLLECTION, f"{PREFIX}/api/v1/uploads"])
def test_the_address_has_the_prefix_whether_or_not_the_proxy_sends_it(published: TusClient, sent):
    answer = published.ask("POST", sent, {"Upload-Length": "9", **FORWARDED}, b"")
    assert answer.status == 201
    assert (answer["Location"] or "").startswith(f"{PREFIX}{COLLECTION}")
    assert answer["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize("keeps_prefix", [True, False])
def test_an_upload_goes_through(published: TusClient, keeps_prefix):
    data = os.urandom(9)
    told = published.post({"Upload-Length": "9", **FORWARDED})["Location"] or ""
    path = told if keeps_prefix else told.removeprefix(PREFIX)
    assert published.patch(path, 0, data[:5], FORWARDED)["Upload-Offset"] == "5"
    assert published.head(path, FORWARDED)["Upload-Offset"] == "5"
    assert published.patch(path, 5, data[5:], FORWARDED).status == 204
    file = published.ask("GET", path, FORWARDED).json()["file"]
    assert file["download_url"] == f"https://localhost{PREFIX}/download/{file['id']}"


def test_parts_are_known_by_the_addresses_that_the_client_sees(published: TusClient):
    concat = []
    for data in (b"one", os.urandom(9)):
        path = published.create(len(data), Upload_Concat="partial")
        published.patch(path, 0, data)
        concat.append(f"https://files.example.org{path}")
    answer = published.post({"Upload-Concat": f"final;{' '.join(concat)}", **FORWARDED})
    assert (answer.status, answer["Upload-Offset"]) == (201, "12")


def test_a_method_may_be_named_behind_a_prefix(published: TusClient):
    path = published.create(9)
    assert path.startswith(PREFIX)
    assert published.ask("POST", path, {"X-HTTP-Method-Override": "DELETE"}, b"").status == 204
    assert published.head(path).status == 404
