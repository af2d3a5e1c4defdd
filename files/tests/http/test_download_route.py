"""The whole way, through `/download/<id>` to rows in the database."""

import hashlib
import json

import pytest

from files.http.content_body import PLAIN_SIZE
from files.models import INLINE_SIZE, Chunk, Content
from files.tests.factories import make_file
from files.tests.samples import noise, png

pytestmark = pytest.mark.django_db

# Pieces of storage that no range is aligned with.
PIECE = 300_007
LARGE = noise(3 * PLAIN_SIZE + 4321, seed=5)


def body(response) -> bytes:
    data: bytes = response.getvalue()
    assert len(data) == int(response["Content-Length"])
    return data


def get(client, file, query="", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(f"/download/{file.pk}{query}", headers=names)


@pytest.mark.parametrize(
    "size", [0, 1, INLINE_SIZE, INLINE_SIZE + 1, PLAIN_SIZE, PLAIN_SIZE + 1, len(LARGE)]
)
def test_file_comes_back_byte_for_byte(client, size):
    file = make_file(LARGE[:size], piece=PIECE)
    response = get(client, file)
    assert response.status_code == 200
    assert response["ETag"] == f'"{hashlib.sha256(LARGE[:size]).hexdigest()}"'
    assert body(response) == LARGE[:size]


@pytest.mark.parametrize("size", [0, 10, len(LARGE)])
def test_head_is_get_without_the_body(client, size):
    file = make_file(LARGE[:size], piece=PIECE)
    whole = get(client, file)
    response = client.head(f"/download/{file.pk}", headers={"Range": "bytes=0-0"})
    assert response.status_code == 200
    assert response.content == b""
    assert response["Content-Length"] == str(size)
    changing = {"X-Request-ID"}
    assert {k: v for k, v in response.items() if k not in changing} == {
        k: v for k, v in whole.items() if k not in changing
    }
    assert len(body(whole)) == size


@pytest.mark.parametrize("size", [INLINE_SIZE, len(LARGE)])
def test_any_range_comes_back(client, size):
    file = make_file(LARGE[:size], piece=PIECE)
    for start, stop in [(0, 1), (0, size), (1, size - 1), (size // 2, size), (size - 1, size)]:
        response = get(client, file, Range=f"bytes={start}-{stop - 1}")
        assert response.status_code == 206
        assert response["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
        assert body(response) == LARGE[start:stop]


def test_several_ranges_come_in_one_answer(client):
    file = make_file(LARGE, piece=PIECE)
    response = get(client, file, Range="bytes=2000000-2000009,-5,0-1200000")
    assert response.status_code == 206
    boundary = response["Content-Type"].removeprefix("multipart/byteranges; boundary=").encode()
    _, *parts, end = body(response).split(b"--" + boundary)
    assert end == b"--\r\n"
    assert [part.partition(b"\r\n\r\n")[2][:-2] for part in parts] == [
        LARGE[2_000_000:2_000_010],
        LARGE[-5:],
        LARGE[:1_200_001],
    ]


def test_range_deep_inside_touches_only_its_chunks(client, django_assert_max_num_queries):
    file = make_file(LARGE)
    with django_assert_max_num_queries(4):
        response = get(client, file, Range="bytes=-10")
        assert body(response) == LARGE[-10:]


def test_conditions_hold_on_real_rows(client):
    file = make_file(LARGE)
    response = get(client, file, If_None_Match=file.etag)
    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == file.etag
    assert "sandbox" in response["Content-Security-Policy"]
    assert get(client, file, If_Match='"other"').status_code == 412
    modified = client.head(f"/download/{file.pk}")["Last-Modified"]
    assert get(client, file, If_Modified_Since=modified).status_code == 304
    resumed = get(client, file, Range="bytes=3-", If_Range=modified)
    assert (resumed.status_code, body(resumed)) == (206, LARGE[3:])
    changed = get(client, file, Range="bytes=3-", If_Range='"other"')
    assert (changed.status_code, body(changed)) == (200, LARGE)


def test_nothing_there_is_404(client):
    response = client.get("/download/999999")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_beyond_the_end_is_416(client):
    file = make_file(b"0123456789")
    response = get(client, file, Range="bytes=10-")
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */10"
    assert json.loads(response.content)["request_id"] == response["X-Request-ID"]


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("a.png", png(), "inline"),
        ("a.txt", "Straße".encode(), "inline"),
        ("a.html", b"<!doctype html><script>alert(1)</script>", "attachment"),
        ("a.txt", b"<!doctype html><script>alert(2)</script>", "attachment"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "attachment"),
        ("a.xml", b'<?xml version="1.0"?><a/>', "attachment"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "attachment"),
        ("a.js", b"alert(1)\n", "attachment"),
    ],
)
def test_inline_only_for_what_runs_no_script(client, name, data, shown):
    file = make_file(data, name=name)
    response = get(client, file, "?disposition=inline")
    assert response["Content-Disposition"].startswith(f"{shown};")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].endswith("; sandbox")
    assert get(client, file)["Content-Disposition"].startswith("attachment;")


def test_name_in_any_script_comes_back(client):
    file = make_file(name='Отчёт "年度" 🎉.pdf')
    assert get(client, file)["Content-Disposition"] == (
        'attachment; filename="file.pdf"; '
        "filename*=UTF-8''%D0%9E%D1%82%D1%87%D1%91%D1%82%20%22%E5%B9%B4%E5%BA%A6%22%20"
        "%F0%9F%8E%89.pdf"
    )


@pytest.mark.parametrize("index", [0, 2])
def test_flipped_bit_is_never_a_clean_200(client, index):
    file = make_file(LARGE)
    chunk = Chunk.objects.filter(content=file.content).order_by("offset")[index]
    chunk.data = bytes([chunk.data[0] ^ 1]) + bytes(chunk.data[1:])
    chunk.save()
    response = get(client, file)
    if index == 0:
        assert response.status_code == 500
        assert json.loads(response.content)["code"] == "corrupt_content"
    else:
        assert response.status_code == 200
        with pytest.raises(Exception, match="damaged"):
            response.getvalue()


def test_file_deleted_during_its_download_ends_whole(client, settings):
    settings.FILESERVER_TRASH_DAYS = 0
    file = make_file(LARGE)
    response = get(client, file)
    blocks = iter(response)
    received = next(blocks)
    assert client.delete(f"/delete/{file.pk}").status_code == 204
    assert client.get(f"/download/{file.pk}").status_code == 404
    assert received + b"".join(blocks) == LARGE
    assert Content.objects.filter(state=Content.State.RELEASED).count() == 1
