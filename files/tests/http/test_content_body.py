import json

import pytest

from files.exceptions import CorruptContentError
from files.models import File
from files.tests.http.fake_storage import BLOCK_SIZE, LARGE, SMALL, ask


@pytest.mark.parametrize(
    ("data", "damaged_at", "header"),
    [
        (SMALL, 0, "bytes=0-"),
        (LARGE, 0, "bytes=0-"),
        (LARGE, 2 * BLOCK_SIZE, f"bytes={BLOCK_SIZE * 2 + 5}-"),
        (LARGE, 0, f"bytes=0-9,{BLOCK_SIZE}-"),
        # Short enough to be read whole beforehand.
        (LARGE, BLOCK_SIZE, f"bytes={BLOCK_SIZE - 5}-{BLOCK_SIZE + 5}"),
    ],
)
def test_damage_at_the_start_is_a_clean_500(keep, caplog, data, damaged_at, header):
    file, store = keep(data)
    store.damaged_at = damaged_at
    response = ask(file, Range=header)
    assert response.status_code == 500
    assert json.loads(response.content)["code"] == "corrupt_content"
    assert "ETag" not in response
    assert [record.getMessage().split(",")[0] for record in caplog.records] == ["Reading file 7"]
    assert store.open == 0


@pytest.mark.parametrize("headers", [{}, {"Range": f"bytes=0-9,{BLOCK_SIZE}-"}])
def test_damage_further_on_breaks_the_answer(keep, caplog, headers):
    file, store = keep(LARGE)
    store.damaged_at = 2 * BLOCK_SIZE
    response = ask(file, **headers)
    assert response.status_code < 300
    received = 0
    with pytest.raises(CorruptContentError):
        for block in response:
            received += len(block)
    assert BLOCK_SIZE <= received < int(response["Content-Length"])
    assert len(caplog.records) == 1
    assert store.open == 0


def test_file_deleted_meanwhile_is_404(keep, monkeypatch):
    file, _ = keep(SMALL)

    def read(file, start, stop):
        # Found gone when its first byte is asked for.
        yield File.objects.none().get()

    monkeypatch.setattr("files.storage.read", read)
    assert ask(file).status_code == 404


def test_only_the_first_block_is_read_ahead(keep):
    file, store = keep(LARGE)
    response = ask(file)
    assert store.read_bytes == BLOCK_SIZE
    blocks = iter(response)
    assert LARGE.startswith(next(blocks))
    assert store.read_bytes == BLOCK_SIZE
    response.close()


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_reader_is_closed_when_the_client_goes_away(keep, taken):
    file, store = keep(LARGE)
    response = ask(file)
    blocks = iter(response)
    for _ in range(taken):
        next(blocks)
    assert store.open == 1
    response.close()
    assert store.open == 0
