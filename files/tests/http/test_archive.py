from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import RequestFactory

from files.exceptions import (
    CorruptContentError,
    InvalidFilterError,
    ServerBusyError,
    StorageFullError,
)
from files.http.archive import archive_response
from files.http.slots import transfer_slots
from files.models import Chunk, File
from files.services import archive as service
from files.services.archive import Archive, archive_of
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def all_is_given_back(monkeypatch) -> Iterator[None]:
    """Fail where a slot or a temporary file is kept after the answer."""
    archives: list[Archive] = []
    taken = transfer_slots._taken
    create = Archive.__init__

    def remember(self, files):
        create(self, files)
        archives.append(self)

    monkeypatch.setattr(Archive, "__init__", remember)
    # Closing a response says that a request has finished, which ends the connection.
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)
    assert transfer_slots._taken == taken
    assert all(archive._plan._file.closed for archive in archives)
    assert all(archive._writer._directory.closed for archive in archives)


def ask(method: str = "GET", filename: str = "files.zip") -> Any:
    request = RequestFactory().generic(method, "/api/v1/files/archive/")
    return archive_response(request, archive_of(File.objects.all()), filename)


def body_of(response: Any) -> bytes:
    data = b"".join(response) if response.streaming else response.content
    response.close()
    return data


@pytest.mark.parametrize("sizes", [[], [5], [5, 100_000], [3 << 20, 5, 2 << 20]])
def test_the_answer_is_a_whole_archive(sizes):
    for number, size in enumerate(sizes):
        make_file(noise(size, number), name=f"{number}")
    response = ask()
    data = body_of(response)
    assert response.status_code == 200
    assert response.streaming is (sum(sizes) > 1 << 20)
    assert response["Content-Type"] == "application/zip"
    assert int(response["Content-Length"]) == len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert [info.file_size for info in opened.infolist()] == sizes


def test_headers():
    make_file()
    response = ask(filename="naïve.zip")
    body_of(response)
    assert response["Cache-Control"] == "no-store"
    assert response["Accept-Ranges"] == "none"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Content-Disposition"] == (
        "attachment; filename=\"naive.zip\"; filename*=UTF-8''na%C3%AFve.zip"
    )


def test_head_tells_the_length_without_a_body():
    make_file(noise(3 << 20))
    head = ask("HEAD")
    assert (head.status_code, head.content) == (200, b"")
    head.close()
    assert int(head["Content-Length"]) == len(body_of(ask()))


def test_damage_at_the_start_is_told_before_the_answer_begins():
    make_file(noise(3 << 20))
    Chunk.objects.filter(offset=0).update(data=b"damaged")
    with pytest.raises(CorruptContentError):
        ask()


def test_damage_in_a_short_answer_is_told_before_it_begins():
    make_file(noise(300_000, 1))
    file = make_file(noise(300_000, 2))
    Chunk.objects.filter(content=file.content).update(data=b"damaged")
    with pytest.raises(CorruptContentError):
        ask()


def test_damage_further_on_breaks_the_answer():
    make_file(noise(3 << 20, 1))
    file = make_file(noise(3 << 20, 2))
    Chunk.objects.filter(content=file.content, offset=1 << 20).update(data=b"damaged")
    response = ask()
    assert response.status_code == 200
    received = 0
    with pytest.raises(CorruptContentError):
        for block in response:
            received += len(block)
    assert 3 << 20 < received < int(response["Content-Length"])
    response.close()


@pytest.mark.parametrize("taken", [0, 1, 10])
def test_all_is_given_back_when_the_client_goes_away(taken):
    make_file(noise(3 << 20))
    response = ask()
    blocks = iter(response)
    for _ in range(taken):
        next(blocks)
    before = transfer_slots._taken
    response.close()
    response.close()
    assert transfer_slots._taken == before - 1


def test_a_transfer_too_many_is_told_to_come_back_before_anything_is_planned(
    monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(transfer_slots, "threads", 1)
    make_file(noise(3 << 20))
    running = ask()
    with django_assert_num_queries(0), pytest.raises(ServerBusyError):
        ask()
    running.close()
    head = ask("HEAD")
    assert head.status_code == 200
    head.close()


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(service, "MAX_MEMBERS", 1)
    make_file()
    make_file()
    with pytest.raises(InvalidFilterError) as refusal:
        ask()
    assert "1 files at most" in str(refusal.value.errors["files"])


def test_no_room_is_refused(monkeypatch):
    monkeypatch.setattr(service, "SPARE_DISK_BYTES", 1 << 60)
    make_file()
    with pytest.raises(StorageFullError):
        ask()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_filter"),
        (500, "corrupt_content"),
        (503, "server_busy"),
        (507, "storage_full"),
    ],
)
def test_the_api_tells_each_refusal_as_a_problem(client, monkeypatch, status, code):
    make_file(noise(3 << 20))
    if status == 400:
        monkeypatch.setattr(service, "MAX_MEMBERS", 0)
    elif status == 500:
        Chunk.objects.filter(offset=0).update(data=b"damaged")
    elif status == 503:
        monkeypatch.setattr(transfer_slots, "threads", 1)
    else:
        monkeypatch.setattr(service, "SPARE_DISK_BYTES", 1 << 60)
    with transfer_slots.take() if status == 503 else nullcontext():
        response = client.get("/api/v1/files/archive/")
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert "Content-Disposition" not in response
    assert response.get("Retry-After") == ("5" if status == 503 else None)
    problem = response.json()
    assert problem["code"] == code
    assert ("errors" in problem) is (status == 400)
