"""Headers of resumable uploads, read and made without a request."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest

from files.exceptions import FileTooLargeError, InvalidHeaderError, UnsupportedVersionError
from files.http.tus_answers import server_headers, upload_headers
from files.http.tus_headers import (
    MAX_METADATA,
    MAX_SIZE,
    checksum_of,
    creation_of,
    metadata_of,
    offset_of,
    part_id_of,
    require_version,
    size_of,
)
from files.models import Upload

ID = "0123456789abcdef" * 2
EXPIRES = datetime(2026, 3, 8, 12, tzinfo=UTC)


def encoded(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(data).decode()


def test_our_version_passes():
    require_version({"Tus-Resumable": "1.0.0"})


@pytest.mark.parametrize("headers", [{}, {"Tus-Resumable": ""}, {"Tus-Resumable": "1.0"}])
def test_another_version_does_not(headers):
    with pytest.raises(UnsupportedVersionError, match="1.0.0"):
        require_version(headers)


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0), ("7", 7), ("007", 7), (str(MAX_SIZE), MAX_SIZE)]
)
def test_numbers(text, expected):
    assert size_of({"Upload-Length": text}) == expected
    assert offset_of({"Upload-Offset": text}) == expected


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1.0", "1e3", "0x1", "١", "1_0", "1,1"])
def test_what_is_no_number(text):
    with pytest.raises(InvalidHeaderError, match="Upload-Length is a number"):
        size_of({"Upload-Length": text})
    with pytest.raises(InvalidHeaderError, match="Upload-Offset is a number"):
        offset_of({"Upload-Offset": text})


@pytest.mark.parametrize("text", [str(MAX_SIZE + 1), "9" * 5000])
def test_numbers_that_are_too_large(text):
    with pytest.raises(FileTooLargeError):
        size_of({"Upload-Length": text})
    assert offset_of({"Upload-Offset": text}) == MAX_SIZE


def test_no_length_and_no_offset():
    assert size_of({}) is None
    with pytest.raises(InvalidHeaderError, match="needs the header Upload-Offset"):
        offset_of({})


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum(algorithm):
    digest = hashlib.new(algorithm, b"x").digest()
    checksum = checksum_of({"Upload-Checksum": f"{algorithm} {encoded(digest)}"})
    assert (checksum.algorithm, checksum.digest) == (algorithm, digest)
    hasher = checksum.hasher()
    hasher.update(b"x")
    assert hasher.digest() == digest


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("md5 CY9rzUYh03PK3k6DJie09g==", "“md5” is none of sha1, sha256"),
        ("sha-256 AA==", "“sha-256” is none of"),
        ("\xff AA==", r"“\\xff” is none of"),
        ("", "“” is none of"),
        ("sha1", "sha1 has 20 bytes, not 0"),
        ("sha1 AA==", "sha1 has 20 bytes, not 1"),
        ("sha1 A", "“A” is not base64"),
        ("sha1 AA==, sha1 AA==", "is not base64"),
    ],
)
def test_what_is_no_checksum(field, reason):
    with pytest.raises(InvalidHeaderError, match=reason):
        checksum_of({"Upload-Checksum": field})


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("", {}),
        (" ", {}),
        ("a", {"a": b""}),
        ("a ", {"a": b""}),
        ("a YQ==", {"a": b"a"}),
        ("a YQ==,b,c Yw==", {"a": b"a", "b": b"", "c": b"c"}),
        ("a YQ==, b YQ==", {"a": b"a", "b": b"a"}),
        ("a YQ==,A YQ==", {"a": b"a", "A": b"a"}),
        (f"a {encoded(bytes(range(256)))}", {"a": bytes(range(256))}),
        ("=:; YQ==", {"=:;": b"a"}),
    ],
)
def test_metadata(field, expected):
    assert metadata_of(field) == expected


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (",", "“” is empty"),
        ("a,", "“” is empty"),
        ("a,,b", "“” is empty"),
        ("a,a", "“a” is empty, or there twice"),
        ("a YQ==,a", "there twice"),
        ("a YQ", "not base64"),
        ("a YQ==YQ==", "not base64"),
        ("a Y-==", "not base64"),
        ("a  YQ==", "not base64"),
        ("a YQ== YQ==", "not base64"),
        ("a\r\nX: b", "control characters"),
        ("a\x00", "control characters"),
        ("a\x7f", "control characters"),
        ("\xfc YQ==", "nothing but ASCII"),
        ("ü YQ==", "nothing but ASCII"),
        ("a " + "A" * MAX_METADATA, "the limit is 8,192"),
    ],
)
def test_what_are_no_metadata(field, reason):
    with pytest.raises(InvalidHeaderError, match=reason):
        metadata_of(field)


@pytest.mark.parametrize(
    ("pairs", "name", "folder"),
    [
        ({}, None, ""),
        ({"filename": "a"}, "a", ""),
        ({"name": "b"}, "b", ""),
        ({"name": "b", "filename": "a"}, "a", ""),
        ({"filename": ""}, None, ""),
        ({"Filename": "a"}, None, ""),
        ({"relativePath": "x/y/a"}, None, "x/y"),
        ({"relativePath": "x\\y\\a"}, None, "x/y"),
        ({"relativePath": "a"}, None, ""),
        ({"relativePath": "x/a", "folder": "z"}, None, "z"),
        ({"relativePath": "x/a", "folder": ""}, None, "x"),
    ],
)
def test_name_and_folder(pairs, name, folder):
    field = ",".join(f"{key} {encoded(value)}" for key, value in pairs.items())
    creation = creation_of({"Upload-Length": "1", "Upload-Metadata": field})
    assert (creation.name, creation.folder, creation.metadata) == (name, folder, field)


@pytest.mark.parametrize("key", ["filename", "name", "folder", "relativePath"])
def test_names_are_utf_8(key):
    headers = {"Upload-Length": "1", "Upload-Metadata": f"{key} {encoded(bytes([0xFF]))}"}
    with pytest.raises(InvalidHeaderError, match=f"“{key}” is not UTF-8"):
        creation_of(headers)


@pytest.mark.parametrize(
    ("headers", "size", "is_partial", "is_final"),
    [
        ({"Upload-Length": "0"}, 0, False, False),
        ({"Upload-Defer-Length": "1"}, None, False, False),
        ({"Upload-Length": "9", "Upload-Concat": "partial"}, 9, True, False),
        ({"Upload-Defer-Length": "1", "Upload-Concat": "partial"}, None, True, False),
        ({"Upload-Concat": f"final;/{ID} {ID}"}, None, False, True),
    ],
)
def test_kinds_of_uploads(headers, size, is_partial, is_final):
    creation = creation_of(headers)
    assert creation.size == size
    assert (creation.is_partial, creation.is_final) == (is_partial, is_final)
    assert creation.concat == headers.get("Upload-Concat", "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "1", "Upload-Defer-Length": "1"},
        {"Upload-Defer-Length": "0"},
        {"Upload-Concat": "partial"},
        {"Upload-Concat": f"final;{ID}", "Upload-Length": "1"},
        {"Upload-Concat": f"final;{ID}", "Upload-Defer-Length": "1"},
        {"Upload-Concat": "final;", "Upload-Length": "1"},
        {"Upload-Concat": "", "Upload-Length": "1"},
        {"Upload-Concat": f"Final;{ID}"},
        {"Upload-Concat": f"final;{ID}\n{ID}"},
    ],
)
def test_headers_that_do_not_fit_together(headers):
    with pytest.raises(InvalidHeaderError):
        creation_of(headers)


@pytest.mark.parametrize(
    "address",
    [
        ID,
        f"{ID}/",
        f"/{ID}",
        f"./{ID}",
        f"/api/v1/uploads/{ID}/",
        f"/prefix/api/v1/uploads/{ID}",
        f"https://user@example.org:8443/api/v1/uploads/{ID}/",
        f"http://[::1]/{ID}",
        f"//example.org/{ID}",
    ],
)
def test_addresses_of_parts(address):
    assert part_id_of(address) == ID
    # As the services read them.
    assert Upload(concat=f"final;{address}").part_ids == [ID]


@pytest.mark.parametrize(
    "address",
    ["", "/", ID[1:], ID + "0", f"x{ID}", ID.upper(), f"{ID}//", f"{ID}/.", f"{ID}?a", f"{ID}#a"]
    + [f"{ID},{ID}", f"/{ID},/{ID}", f"final;/{ID}", f"?/{ID}", f"#/{ID}", f"{ID}\n"],
)
def test_what_is_the_address_of_no_part(address):
    with pytest.raises(InvalidHeaderError, match="is the address of no upload"):
        part_id_of(address)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"size": 9, "offset": 5},
            {"Upload-Length": "9", "Upload-Offset": "5", "Upload-Expires": True},
        ),
        (
            {"size": None, "offset": 5, "metadata": "a"},
            {
                "Upload-Defer-Length": "1",
                "Upload-Offset": "5",
                "Upload-Expires": True,
                "Upload-Metadata": "a",
            },
        ),
        ({"size": 9, "offset": 9, "state": "stored"}, {"Upload-Length": "9", "Upload-Offset": "9"}),
        (
            {"size": 9, "offset": 9, "concat": "partial"},
            {
                "Upload-Length": "9",
                "Upload-Offset": "9",
                "Upload-Expires": True,
                "Upload-Concat": "partial",
            },
        ),
        (
            {"size": 9, "offset": 5, "concat": "final;a"},
            {"Upload-Length": "9", "Upload-Expires": True, "Upload-Concat": "final;a"},
        ),
        (
            {"size": 9, "offset": 9, "concat": "final;a", "state": "duplicate"},
            {"Upload-Length": "9", "Upload-Offset": "9", "Upload-Concat": "final;a"},
        ),
    ],
)
def test_what_is_told_of_an_upload(columns, expected):
    upload = Upload(name="a", expires_at=EXPIRES, **columns)
    if expected.get("Upload-Expires"):
        expected = expected | {"Upload-Expires": "Sun, 08 Mar 2026 12:00:00 GMT"}
    assert upload_headers(upload) == {"Cache-Control": "no-store"} | expected


def test_the_limit_is_told_where_there_is_one(settings):
    assert "Tus-Max-Size" not in server_headers()
    settings.FILESERVER_MAX_UPLOAD_SIZE = 1000
    assert server_headers()["Tus-Max-Size"] == "1000"
