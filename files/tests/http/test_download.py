import hashlib
import json
from email.parser import BytesParser

import pytest

from files.http.content_body import PLAIN_SIZE
from files.http.download import INLINE_TYPES
from files.tests.http.fake_storage import BLOCK_SIZE, LARGE, LAST_MODIFIED, SMALL, ask, content


def parts_of(response):
    head = f"Content-Type: {response['Content-Type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + content(response))
    assert message.get_content_type() == "multipart/byteranges"
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [
        (part["Content-Type"], part["Content-Range"], part.get_payload(decode=True))
        for part in parts
    ]


@pytest.mark.parametrize("data", [b"", b"x", SMALL, LARGE])
def test_whole_file(keep, data):
    file, store = keep(data)
    response = ask(file)
    assert response.status_code == 200
    assert response.streaming is (len(data) > PLAIN_SIZE)
    assert response["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert response["Last-Modified"] == LAST_MODIFIED
    assert response["Accept-Ranges"] == "bytes"
    assert response["Repr-Digest"].startswith("sha-256=:")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == (
        "attachment; filename=\"naive.bin\"; filename*=UTF-8''na%C3%AFve.bin"
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {"default-src 'none'", "sandbox"} <= set(response["Content-Security-Policy"].split("; "))
    assert set(response["Cache-Control"].split(", ")) == {"private", "no-cache", "no-transform"}
    assert "Content-Encoding" not in response
    assert content(response) == data
    assert store.open == 0


@pytest.mark.parametrize("data", [b"", SMALL, LARGE])
def test_head_has_the_headers_of_get_and_reads_nothing(keep, data):
    file, store = keep(data)
    whole = ask(file)
    whole.close()
    store.read_bytes = 0
    response = ask(file, "HEAD", Range="bytes=0-0")
    assert response.status_code == 200
    assert response.headers == whole.headers
    assert response.content == b""
    assert store.read_bytes == 0


@pytest.mark.parametrize(
    ("data", "header", "start", "stop"),
    [
        (SMALL, "bytes=0-0", 0, 1),
        (SMALL, "bytes=10-19", 10, 20),
        (SMALL, "bytes=-5", 95, 100),
        (SMALL, "bytes=0-", 0, 100),
        (LARGE, "bytes=0-", 0, len(LARGE)),
        (LARGE, "bytes=1-", 1, len(LARGE)),
        (LARGE, f"bytes={BLOCK_SIZE - 1}-{BLOCK_SIZE}", BLOCK_SIZE - 1, BLOCK_SIZE + 1),
        (LARGE, "bytes=-12346", len(LARGE) - 12346, len(LARGE)),
    ],
)
def test_single_range(keep, data, header, start, stop):
    file, store = keep(data)
    response = ask(file, Range=header)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
    assert response["ETag"] == file.etag
    assert content(response) == data[start:stop]
    assert store.read_bytes == stop - start


@pytest.mark.parametrize(
    ("data", "header", "slices"),
    [
        (SMALL, "bytes=0-4,90-94", [(0, 5), (90, 95)]),
        (SMALL, "bytes=90-94, 0-4, 2-6", [(90, 95), (0, 5), (2, 7)]),
        (LARGE, "bytes=0-9,2000000-", [(0, 10), (2_000_000, len(LARGE))]),
        (LARGE, "bytes=2000000-,0-9", [(2_000_000, len(LARGE)), (0, 10)]),
    ],
)
def test_several_ranges(keep, data, header, slices):
    file, store = keep(data, mime_type="image/png")
    response = ask(file, Range=header)
    assert response.status_code == 206
    assert "Content-Range" not in response
    assert parts_of(response) == [
        ("image/png", f"bytes {start}-{stop - 1}/{len(data)}", data[start:stop])
        for start, stop in slices
    ]
    assert store.open == 0


@pytest.mark.parametrize(
    "header", ["bytes=" + "1-1," * 17, "bytes=0-,0-", "lines=1-2", "bytes=2-1", "bytes=x"]
)
def test_absurd_ranges_get_the_whole_file(keep, header):
    file, _ = keep(SMALL)
    response = ask(file, Range=header)
    assert response.status_code == 200
    assert content(response) == SMALL


def test_range_beyond_the_end_is_416(keep):
    file, _ = keep(SMALL)
    response = ask(file, Range="bytes=100-")
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */100"
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["code"] == "range_not_satisfiable"


def test_range_of_an_empty_file_is_the_whole(keep):
    file, _ = keep(b"")
    assert ask(file, Range="bytes=0-").status_code == 200


@pytest.mark.parametrize("mime_type", sorted(INLINE_TYPES))
def test_inline_for_what_runs_no_script(keep, mime_type):
    file, _ = keep(SMALL, mime_type=mime_type)
    assert ask(file, query="?disposition=inline")["Content-Disposition"].startswith("inline;")
    for query in ("", "?disposition=attachment"):
        assert ask(file, query=query)["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    "mime_type",
    [
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "application/pdf",
        "text/javascript",
        "text/css",
        "application/octet-stream",
        "multipart/x-mixed-replace",
        "IMAGE/SVG+XML",
        "text/plain, text/html",
        "",
    ],
)
def test_whatever_else_is_saved_not_shown(keep, mime_type):
    file, _ = keep(SMALL, mime_type=mime_type)
    response = ask(file, query="?disposition=inline")
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["Content-Type"] == (mime_type or "application/octet-stream")


@pytest.mark.parametrize(
    ("mime_type", "sandbox"),
    [
        ("text/html", "sandbox"),
        ("image/svg+xml", "sandbox"),
        ("image/png", "sandbox"),
        ("video/unheard-of", "sandbox"),
        # Chromium plays nothing in a page without an origin.
        ("video/mp4", "sandbox allow-same-origin"),
        ("audio/mpeg", "sandbox allow-same-origin"),
    ],
)
def test_sandbox_never_allows_scripts(keep, mime_type, sandbox):
    file, _ = keep(SMALL, mime_type=mime_type)
    for headers in ({}, {"If_None_Match": file.etag}):
        policy = ask(file, **headers)["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert policy.endswith(f"; {sandbox}")
        assert "script" not in policy


@pytest.mark.parametrize("value", ["", "INLINE", "preview", "inline;x", "inline%0D%0Ax"])
def test_unknown_disposition_is_400(keep, value):
    file, _ = keep(SMALL)
    response = ask(file, query=f"?disposition={value}")
    assert response.status_code == 400
    assert json.loads(response.content)["errors"].keys() == {"disposition"}


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"plain", "text/plain; charset=utf-8"),
        ("Straße".encode(), "text/plain; charset=utf-8"),
        ("Straße".encode("latin-1"), "text/plain"),
        ("Straße".encode("utf-16"), "text/plain"),
        (b"", "text/plain; charset=utf-8"),
        # Cut in the middle of a character after 64 KiB.
        (b"x" + "ü".encode() * 40_000, "text/plain; charset=utf-8"),
        # The head says nothing about what follows.
        (b"x" * 70_000 + b"\xfc", "text/plain"),
    ],
)
def test_charset_of_shown_text_only_where_it_is_certain(keep, data, content_type):
    file, _ = keep(data, mime_type="text/plain")
    for method in ("GET", "HEAD"):
        response = ask(file, method, "?disposition=inline")
        assert response["Content-Type"] == content_type
    assert ask(file)["Content-Type"] == "text/plain"
