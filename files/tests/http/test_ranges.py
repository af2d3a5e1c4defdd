import pytest

from files.http.ranges import MAX_RANGES, ByteRange, parse_range

SINGLE = [
    ("bytes=0-0", (0, 1)),
    ("bytes=0-99", (0, 100)),
    ("bytes=0-", (0, 100)),
    ("bytes=99-", (99, 100)),
    ("bytes=10-19", (10, 20)),
    ("bytes=90-500", (90, 100)),
    ("bytes=0-99999999999999999999999999", (0, 100)),
    ("bytes=5-" + "9" * 10_000, (5, 100)),
    ("bytes=" + "0" * 10_000 + "5-7", (5, 8)),
    ("bytes=-1", (99, 100)),
    ("bytes=-100", (0, 100)),
    ("bytes=-101", (0, 100)),
    ("bytes=-" + "9" * 10_000, (0, 100)),
    ("BYTES=1-2", (1, 3)),
    ("bytes=1-2,", (1, 3)),
    ("bytes=,,1-2 , ,", (1, 3)),
    (" bytes= 1-2\t", (1, 3)),
    # Of several, those that lie beyond the end are left out.
    ("bytes=1-2,100-,-0,200-300", (1, 3)),
]


@pytest.mark.parametrize(("header", "expected"), SINGLE)
def test_one_range_is_cut_to_the_size(header, expected):
    assert parse_range(header, 100) == [expected]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0,-1", [(0, 1), (99, 100)]),
        ("bytes=50-59, 0-9", [(50, 60), (0, 10)]),
        ("bytes=0-9\t,\t10-19", [(0, 10), (10, 20)]),
        ("bytes=0-9,5-14", [(0, 10), (5, 15)]),
        ("bytes=0-49,50-99", [(0, 50), (50, 100)]),
    ],
)
def test_several_ranges_keep_their_order(header, expected):
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes= , ,",
        "bytes=-",
        "bytes=--1",
        "bytes=1",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=2-1",
        "bytes=300-200",
        "bytes=" + "9" * 10_000 + "-1",
        "bytes=0-1,2-1",
        "bytes=0-1,x",
        "bytes=1 - 2",
        "bytes =1-2",
        "bytes:1-2",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=\u0661-\u0662",
        "bytes=\u00b2-",
        "bytes=1-2\x0b",
        "bytes=1-2\n",
        "lines=1-2",
        "seconds=0-",
        "1-2",
    ],
)
def test_what_is_no_set_of_byte_ranges_is_ignored(header):
    assert parse_range(header, 100) is None


@pytest.mark.parametrize(
    "header",
    ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=-0,100-", "bytes=" + "9" * 10_000 + "-"],
)
def test_ranges_beyond_the_end_cannot_be_satisfied(header):
    assert parse_range(header, 100) == []


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-5", "bytes=-0", "bytes=7-"])
def test_an_empty_file_is_sent_whole_whatever_is_asked(header):
    assert parse_range(header, 0) is None


def test_too_many_ranges_are_ignored():
    specs = [f"{first}-{first}" for first in range(0, 2 * MAX_RANGES, 2)]
    assert parse_range("bytes=" + ",".join(specs), 100) == [
        (first, first + 1) for first in range(0, 2 * MAX_RANGES, 2)
    ]
    assert parse_range("bytes=" + ",".join([*specs, "90-90"]), 100) is None
    assert parse_range("bytes=" + "0-," * 100_000, 100) is None


@pytest.mark.parametrize("header", ["bytes=0-,0-", "bytes=0-60,40-", "bytes=0-99,-1"])
def test_overlaps_longer_than_the_file_are_ignored(header):
    assert parse_range(header, 100) is None


def test_content_range_names_the_last_byte():
    part = ByteRange(10, 20)
    assert part.content_range(100) == "bytes 10-19/100"
    assert part.size == 10
