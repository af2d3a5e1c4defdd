"""Uploads may be put together of others."""

from __future__ import annotations

import os
from itertools import permutations

import pytest

from files.tests.api.tus.raw import COLLECTION, TusClient, metadata

pytestmark = pytest.mark.live

HOST = "https://files.example.org:8443"


def part(tus: TusClient, data: bytes, **headers: str) -> str:
    """Return the address of a complete partial upload."""
    path = tus.create(len(data), Upload_Concat="partial", **headers)
    assert tus.patch(path, 0, data).status == 204
    return path


@pytest.mark.parametrize("sizes", [[5], [5, 6], [0, 7, 0], [3000, 1], [9 << 20, 5, 1 << 20]])
def test_parts_make_a_file_in_the_order_they_are_listed(tus, sizes):
    blocks = [os.urandom(size) for size in sizes]
    paths = [part(tus, block) for block in blocks]
    answer = tus.post({"Upload-Concat": f"final;{' '.join(paths)}"})
    assert answer.status == 201
    assert tus.bytes_of(answer["Location"]) == b"".join(blocks)


def test_every_order_is_another_file(tus):
    blocks = {os.urandom(9): "" for _ in range(3)}
    for order in permutations(blocks):
        paths = [part(tus, block) for block in order]
        answer = tus.post({"Upload-Concat": f"final;{' '.join(paths)}"})
        assert tus.bytes_of(answer["Location"]) == b"".join(order)


def test_a_part_may_be_listed_more_than_once(tus):
    data = os.urandom(9)
    path = part(tus, data)
    answer = tus.post({"Upload-Concat": f"final;{path} {path}"})
    assert answer.json()["size"] == 18
    assert tus.bytes_of(answer["Location"]) == data * 2


@pytest.mark.parametrize(
    "address",
    [
        "{path}",
        "{id}",
        "{id}/",
        "./{id}/",
        "uploads/{id}",
        "/api/v1/uploads/{id}",
        f"{HOST}{{path}}",
        f"{HOST}/some/prefix{{path}}",
        "//files.example.org{path}",
        "/some/prefix{path}",
    ],
)
def test_the_address_of_a_part_may_be_absolute_or_relative(tus, address):
    data = os.urandom(9)
    path = part(tus, data)
    concat = f"final;{address.format(path=path, id=path.split('/')[-2])}"
    answer = tus.post({"Upload-Concat": concat})
    assert (answer.status, answer["Upload-Concat"]) == (201, concat)
    assert tus.bytes_of(answer["Location"]) == data


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Partial",
        "partial;",
        "final",
        "final;",
        "final; ",
        "final:/a",
        "whole;/a",
        "final;/a",
        "final;,",
        "final;{path},{path}",
        "final;{path}\t{path}",
        "final;{path}?x=1",
        "final;{path}../",
        "final;{path}\xc3\xbc",
    ],
)
def test_what_is_neither_a_part_nor_a_list_of_parts_is_refused(tus, value):
    path = part(tus, os.urandom(5))
    headers = {} if value.startswith("final") else {"Upload-Length": "5"}
    answer = tus.post({**headers, "Upload-Concat": value.format(path=path)})
    assert (answer.status, answer.code) == (400, "invalid_header")
    assert tus.offset(path) == 5


def test_a_final_upload_is_as_long_as_its_parts(tus):
    paths = [part(tus, os.urandom(5)), part(tus, os.urandom(6))]
    final = tus.post({"Upload-Concat": f"final;{' '.join(paths)}"})["Location"]
    head = tus.head(final)
    assert (head["Upload-Length"], head["Upload-Offset"]) == ("11", "11")


@pytest.mark.parametrize("length", [{"Upload-Length": "5"}, {"Upload-Defer-Length": "1"}])
def test_the_length_of_a_final_upload_is_not_told(tus, length):
    path = part(tus, os.urandom(5))
    answer = tus.post({"Upload-Concat": f"final;{path}", **length})
    assert (answer.status, answer.code) == (400, "invalid_header")


def test_a_final_upload_brings_no_bytes(tus):
    path = part(tus, os.urandom(5))
    answer = tus.post({"Upload-Concat": f"final;{path}"}, b"more")
    assert (answer.status, answer.code) == (403, "upload_final")
    assert tus.offset(path) == 5


def test_a_final_upload_takes_no_piece(tus):
    data = os.urandom(5)
    path = part(tus, data)
    final = tus.post({"Upload-Concat": f"final;{path}"})["Location"]
    for offset in (0, 5, 6):
        answer = tus.patch(final, offset, b"x")
        assert (answer.status, answer.code) == (403, "upload_final")
    assert tus.bytes_of(final) == data


def test_only_complete_parts_are_put_together(tus):
    whole, half = part(tus, os.urandom(5)), tus.create(5, Upload_Concat="partial")
    tus.patch(half, 0, b"1234")
    answer = tus.post({"Upload-Concat": f"final;{whole} {half}"})
    assert (answer.status, answer.code) == (400, "invalid_upload")
    assert (tus.offset(whole), tus.offset(half)) == (5, 4)


@pytest.mark.parametrize("kind", ["nowhere", "ordinary", "final"])
def test_only_parts_are_put_together(tus, kind):
    path = f"{COLLECTION}{'0' * 32}/"
    if kind == "ordinary":
        path = tus.create(5)
        tus.patch(path, 0, os.urandom(5))
    if kind == "final":
        path = tus.post({"Upload-Concat": f"final;{part(tus, os.urandom(5))}"})["Location"]
    answer = tus.post({"Upload-Concat": f"final;{path}"})
    assert (answer.status, answer.code) == (400, "invalid_upload")


def test_parts_are_no_files(tus):
    data = os.urandom(9)
    path = part(tus, data, Upload_Metadata=metadata(filename="part.bin"))
    told = tus.state(path)
    assert (told["state"], told["file"], told["offset"]) == ("receiving", None, 9)
    # The same bytes are no duplicate of it.
    other = tus.create(9)
    tus.patch(other, 0, data)
    assert tus.state(other)["state"] == "stored"


def test_metadata_are_those_of_the_final_upload_alone(tus):
    path = part(tus, os.urandom(9), Upload_Metadata=metadata(filename="part.bin", folder="parts"))
    own = metadata(filename="whole.bin")
    final = tus.post({"Upload-Concat": f"final;{path}", "Upload-Metadata": own})["Location"]
    assert tus.head(final)["Upload-Metadata"] == own
    file = tus.state(final)["file"]
    assert (file["name"], file["folder"]) == ("whole.bin", "")
    bare = tus.post({"Upload-Concat": f"final;{part(tus, os.urandom(9))}"})["Location"]
    assert tus.head(bare)["Upload-Metadata"] is None
    assert tus.state(bare)["name"].startswith("upload-")


def test_a_part_tells_how_far_it_is_and_what_it_is(tus):
    answer = tus.post({"Upload-Concat": "partial", "Upload-Length": "5"})
    assert answer["Upload-Concat"] == "partial"
    path = answer["Location"]
    assert tus.head(path)["Upload-Offset"] == "0"
    tus.patch(path, 0, b"bytes")
    head = tus.head(path)
    assert (head["Upload-Offset"], head["Upload-Concat"]) == ("5", "partial")


def test_a_final_upload_tells_its_parts_as_they_were_sent(tus):
    concat = f"final;{HOST}{part(tus, os.urandom(5))} {part(tus, os.urandom(5))}"
    answer = tus.post({"Upload-Concat": concat})
    assert answer["Upload-Concat"] == concat
    assert tus.head(answer["Location"])["Upload-Concat"] == concat


def test_the_same_parts_again_find_the_same_upload(tus):
    concat = f"final;{part(tus, os.urandom(5))}"
    first, again = (tus.post({"Upload-Concat": concat}) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first["Location"] == again["Location"]
    assert first.json() == again.json()


def test_parts_that_are_a_known_file_make_a_duplicate(tus):
    data = os.urandom(10)
    path = tus.create(10)
    tus.patch(path, 0, data)
    parts = f"{part(tus, data[:4])} {part(tus, data[4:])}"
    answer = tus.post({"Upload-Concat": f"final;{parts}"})
    assert (answer.status, answer["Upload-Offset"]) == (201, "10")
    assert answer.json()["state"] == "duplicate"
    assert answer.json()["existing"] == tus.state(path)["file"]


def test_parts_may_have_a_deferred_length(tus):
    data = os.urandom(9)
    path = tus.create(Upload_Concat="partial")
    tus.patch(path, 0, data)
    assert tus.post({"Upload-Concat": f"final;{path}"}).status == 400
    tus.patch(path, 9, b"", {"Upload-Length": "9"})
    answer = tus.post({"Upload-Concat": f"final;{path}"})
    assert tus.bytes_of(answer["Location"]) == data
