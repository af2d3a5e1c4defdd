from __future__ import annotations

import ast
import csv
import io
import json
import statistics
import struct
import wave
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from xml.etree import ElementTree

import pytest

from files.demo.library import KINDS, LABELS, SIZES, demo_file, upload_dates
from files.mime import sniff
from files.names import clean_folder, clean_name, suffix_of

NOW = datetime(2026, 5, 6, 12, 30, tzinfo=UTC)
SAMPLE = [demo_file(1, number, "small") for number in range(3000)]
LONG = [demo_file(1, number, "mixed") for number in range(300)]
MAKERS = {suffix: make for suffix, _, make in KINDS}
LENGTHS = (1, 700, 3000, 30_000, 400_000)


def make(suffix: str, size: int) -> bytes:
    """Return a file of the suffix, of about so many bytes."""
    return MAKERS[suffix](Random(size), size, "Title 1-2-s")


def parse_png(data: bytes) -> None:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert zlib.crc32(kind + body) == checksum
        chunks[kind] = body
        at += 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (width + 1)
    assert list(chunks)[-1] == b"IEND"


def parse_jpeg(data: bytes) -> None:
    assert data.startswith(b"\xff\xd8")
    assert data.endswith(b"\xff\xd9")
    at = 2
    while data[at + 1] != 0xDA:
        assert data[at] == 0xFF
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    scan = data[at + 10 : -2]
    marks = {scan[at + 1] for at in range(len(scan) - 1) if scan[at] == 0xFF}
    assert marks <= {0, *range(0xD0, 0xD8)}


def parse_gif(data: bytes) -> None:
    assert data.startswith(b"GIF89a")
    width, height = struct.unpack("<HH", data[6:10])
    at = data.index(b"\x2c", 13 + 384) + 11
    codes = b""
    while data[at]:
        codes += data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
    assert data[at:] == b"\0\x3b"
    pixels = [code for code in codes if code < 0x80]
    assert len(pixels) == width * height
    assert codes[-1] == 0x81


def parse_pdf(data: bytes) -> None:
    assert data.startswith(b"%PDF-1.4")
    start = int(data.split(b"startxref\n")[1].split()[0])
    lines = data[start:].splitlines()
    assert lines[0] == b"xref"
    for number, line in enumerate(lines[3 : 2 + int(lines[1].split()[1])], 1):
        assert data[int(line.split()[0]) :].startswith(b"%d 0 obj" % number)


def parse_zip(data: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def parse_package(data: bytes) -> None:
    archive = parse_zip(data)
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")):
            ElementTree.fromstring(archive.read(name))  # noqa: S314  # our own
    assert "[Content_Types].xml" in archive.namelist()


def parse_csv(data: bytes) -> None:
    rows = list(csv.reader(io.StringIO(data.decode())))
    assert {len(row) for row in rows} == {3}


def parse_wav(data: bytes) -> None:
    with wave.open(io.BytesIO(data)) as sound:
        assert len(sound.readframes(8)) == 8


PARSERS: dict[str, Callable[[bytes], object]] = {
    "pdf": parse_pdf,
    "docx": parse_package,
    "xlsx": parse_package,
    "zip": parse_zip,
    "png": parse_png,
    "gif": parse_gif,
    "jpg": parse_jpeg,
    "jpeg": parse_jpeg,
    "wav": parse_wav,
    "json": json.loads,
    "csv": parse_csv,
    "xml": ElementTree.fromstring,
    "svg": ElementTree.fromstring,
    "py": lambda data: ast.parse(data.decode()),
}


@pytest.mark.parametrize("size", LENGTHS)
@pytest.mark.parametrize("suffix", list(MAKERS))
def test_every_file_is_valid_for_its_suffix(suffix, size):
    data = make(suffix, size)

    PARSERS.get(suffix, bytes.decode)(data)
    assert b"Title 1-2-s" in data or suffix in ("docx", "xlsx", "pdf")


@pytest.mark.parametrize("size", LENGTHS[2:])
@pytest.mark.parametrize("suffix", list(MAKERS))
def test_files_are_about_as_long_as_asked(suffix, size):
    assert size * 0.4 < len(make(suffix, size)) < size * 1.6 + 3000


def test_sniffed_type_hangs_on_the_suffix_alone():
    types = defaultdict(set)
    for demo in SAMPLE + LONG:
        types[demo.suffix].add(sniff(demo.data, demo.name))

    assert len(types) == len(KINDS)
    assert all(len(found) == 1 for found in types.values()), types


def test_names_and_folders_are_as_uploads_would_have_them():
    for demo in SAMPLE:
        assert clean_name(demo.name) == demo.name
        assert clean_folder(demo.folder) == demo.folder
        assert suffix_of(demo.name) == demo.suffix


def test_names_are_in_many_scripts():
    text = "".join(demo.name for demo in SAMPLE)

    for first, last in ("az", "ая", "αω", "あん", "一龥", "가힣", ["ا", "ي"], "את", ("क", "ह")):
        assert any(first <= char <= last for char in text), first


def test_the_same_number_is_the_same_file_and_others_are_not():
    assert demo_file(3, 17, "small") == demo_file(3, 17, "small")
    contents = [demo.data for demo in SAMPLE] + [demo_file(2, n, "small").data for n in range(3000)]
    contents += [demo.data for demo in LONG]
    assert len(set(contents)) == len(contents)


def test_common_types_are_much_more_common_than_rare_ones():
    counts = Counter(demo.suffix for demo in SAMPLE).most_common()

    assert counts[0][0] == "pdf"
    assert counts[0][1] > 15 * counts[-1][1]


@pytest.mark.parametrize(("demos", "size"), [(SAMPLE, "small"), (LONG, "mixed")])
def test_sizes_lie_around_the_median(demos, size):
    sizes = [len(demo.data) for demo in demos]

    assert SIZES[size].median * 0.8 < statistics.median(sizes) < SIZES[size].median * 3
    assert max(sizes) < SIZES[size].most * 1.2


def test_some_files_have_labels():
    labelled = [demo for demo in SAMPLE if demo.labels]

    assert 0.05 < len(labelled) / len(SAMPLE) < 0.2
    assert {name for demo in labelled for name in demo.labels} == set(LABELS)


@pytest.mark.parametrize(("count", "days"), [(1, 1), (10, 1), (5, 400), (2000, 30), (1000, 365)])
def test_dates_rise_within_their_days(count, days):
    dates = list(upload_dates(count, days, NOW))

    assert len(dates) == count
    assert dates == sorted(dates)
    assert NOW.date() - timedelta(days=days) < dates[0].date()
    assert dates[-1] <= NOW


def test_weekends_are_quiet():
    days = Counter(date.weekday() for date in upload_dates(7000, 364, NOW))

    assert days[5] + days[6] < 0.1 * sum(days.values())
