from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from files.exceptions import ServerBusyError
from files.http.slots import TransferSlots, transfer_slots
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


@pytest.fixture
def one_slot(monkeypatch) -> None:
    monkeypatch.setattr(transfer_slots, "threads", 1)


def test_an_eighth_of_the_threads_is_kept_for_short_requests():
    slots = TransferSlots()
    slots.threads = 16
    taken = [slots.take() for _ in range(14)]
    with pytest.raises(ServerBusyError, match="14 transfers"):
        slots.take()
    taken[0].close()
    slots.take()


def test_a_slot_is_given_back_once_however_often_it_is_closed():
    slots = TransferSlots()
    slots.threads = 3
    first, second = slots.take(), slots.take()
    for _ in range(3):
        first.close()
    with slots.take(), pytest.raises(ServerBusyError, match="2 transfers"):
        slots.take()
    with pytest.raises(KeyError), slots.take():
        raise KeyError
    second.close()
    assert slots._taken == 0


def test_a_transfer_too_many_is_told_to_come_back(client, one_slot):
    file = make_file(noise(3 << 20))
    running = client.get(f"/download/{file.pk}")
    refused = [
        client.get(f"/download/{file.pk}"),
        client.put("/upload/a", b"x", "application/octet-stream"),
        client.post("/upload", {"file": SimpleUploadedFile("a", b"x")}),
    ]
    for response in refused:
        assert (response.status_code, response.json()["code"]) == (503, "server_busy")
        assert response["Retry-After"]
    assert client.get("/healthz").status_code == 200
    assert client.get("/files").status_code == 200
    assert running.getvalue()
    assert client.put("/upload/a", b"x", "application/octet-stream").status_code == 200


def test_whatever_ends_a_transfer_gives_its_slot_back(client, one_slot):
    file = make_file(noise(3 << 20))
    for _ in range(3):
        assert client.get(f"/download/{file.pk}").getvalue()
        assert client.put("/upload/..", b"x", "application/octet-stream").status_code == 400
        assert client.get(f"/download/{file.pk}", headers={"Range": "bytes=1-2"}).content
    file.content.chunks.filter(offset=0).delete()
    for _ in range(3):
        assert client.get(f"/download/{file.pk}").status_code == 500
    assert client.put("/upload/a", b"x", "application/octet-stream").status_code == 200
