"""The form parser, on streams cut at every place."""

from __future__ import annotations

import random
import tracemalloc
from itertools import islice

import pytest

from files.exceptions import (
    BrokenMultipartError,
)
from files.http.multipart import read_form
from files.tests.http.forms import BOUNDARY, FORM, file_part, form, outcome, part, read, read_blocks

LOOKALIKES = [
    b"",
    b"\r\n",
    b"--",
    b"\r",
    b"\r\n--",
    f"--{BOUNDARY}".encode(),
    f"x--{BOUNDARY}--\r\n".encode(),
    f"\n--{BOUNDARY}\n".encode(),
    f"\r\n--{BOUNDARY[:-1]}".encode(),
    f"\r\n--{BOUNDARY[:-1]}X\r\n".encode(),
    f"\r\n-{BOUNDARY}--".encode(),
    b"\r\n--other\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--other--\r\n",
    form(file_part(b"inner"), boundary="inner"),
    b"\r" * 300,
    b"\r\n" * 300,
    bytes(range(256)) * 4,
]


@pytest.mark.parametrize("content", LOOKALIKES)
@pytest.mark.parametrize("block", [1, 2, 3, 7, 64, 1 << 16])
def test_content_like_a_boundary_stays_whole(content, block):
    for data in (content, b"before" + content + b"after"):
        # A line break right behind the head would make "--boundary" one.
        if data.startswith(b"--" + BOUNDARY.encode()):
            data = b"." + data
        assert read(form(file_part(data)), block=block)[1] == data


def test_random_splits_of_random_content_change_nothing():
    chance = random.Random(2)
    pieces = [*LOOKALIKES, b"\r\n--" + BOUNDARY.encode()[:9], b"a", b"\n", b"-"]
    for _ in range(150):
        data = b"." + b"".join(chance.choices(pieces, k=chance.randrange(8)))
        data = data.replace(b"\r\n--" + BOUNDARY.encode(), b"")
        body = form(part('name="folder"', b"f"), file_part(data), part('name="x"', b"y"))
        blocks, start = [], 0
        while start < len(body):
            stop = start + chance.choice([1, 2, 5, 39, 40, 41, 300])
            blocks.append(body[start:stop])
            start = stop
        head, received = read_blocks(blocks)
        assert (head.fields, received) == ({"folder": "f"}, data)


def test_random_damage_is_judged_the_same_in_every_split():
    chance = random.Random(3)
    whole = form(part('name="folder"', b"f"), file_part(b"data\r\n--data"), part('name="x"', b"y"))
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.randrange(3)] = chance.choice([b"", b"\r\n", b"-", b'"', b"\xff"])
        if body.count(b"\n") != body.count(b"\r\n"):
            # A line feed alone before a header's name is seen in some splits only.
            continue
        results = {repr(outcome(bytes(body), block)) for block in (1, 5, 1 << 16)}
        kinds = {result.split(",")[0] for result in results}
        assert len(kinds) == 1, (bytes(body), results)


def test_big_file_is_never_held():
    block = bytes(1 << 16)
    start, end = form(file_part(b"SPLIT")).split(b"SPLIT")

    def blocks():
        yield start
        for _ in range(1000):
            yield block
        yield end

    tracemalloc.start()
    size = sum(len(item) for item in read_form(blocks(), FORM) if isinstance(item, bytes))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 1000 * len(block)
    assert peak < 1 << 20


def test_endless_form_ends_at_a_limit():
    def endless(piece, counter):
        yield b"--" + BOUNDARY.encode() + b"\r\n"
        while True:
            counter.append(len(piece))
            yield piece

    line = b"--" + BOUNDARY.encode() + b"\r\n"
    for piece in (
        b"x" * 1000,
        b"X: y\r\n",
        part('name="x"', b"y") + b"\r\n" + line,
        part('name="x"', b"y" * 5000),
    ):
        read_blocks: list[int] = []
        with pytest.raises(BrokenMultipartError):
            list(islice(read_form(endless(piece, read_blocks), FORM), 1))
        assert sum(read_blocks) < 200_000
