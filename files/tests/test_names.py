from __future__ import annotations

import unicodedata

import pytest

from files.exceptions import InvalidNameError
from files.names import clean_folder, clean_name, decode_form_name, suffix_of

SIX_SCRIPTS = [
    "Größe.pdf",
    "отчёт за май.docx",
    "报告 2024.pdf",
    "تقرير.pdf",
    "रिपोर्ट.txt",
    "報告書😀.png",
]


@pytest.mark.parametrize("name", [*SIX_SCRIPTS, "a", "...", ".bashrc", "a b.c", "100%.txt", "%22"])
def test_ordinary_name_is_kept(name):
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("/etc/passwd", "passwd"),
        ("../../a.txt", "a.txt"),
        (r"C:\fakepath\photo.jpg", "photo.jpg"),
        (r"a/b\c", "c"),
        ("  spaced.txt\t", "spaced.txt"),
        ("\u3000ideographic\u00a0", "ideographic"),
        ("a\x00b\x1f\x7f\x85c\r\n.txt", "abc.txt"),
        ("line\u2028paragraph\u2029", "lineparagraph"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("\u2066a\u2069\u202ab\u202c", "ab"),
        ("\ufeffbom.txt", "bom.txt"),
        ("lone\ud800\udfff.txt", "lone.txt"),
        ("e\u0301te\u0301.txt", "été.txt"),
        ("e\x00\u0301", "é"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("x" * 255, "x" * 255),
        ("e\u0301" * 255, "é" * 255),
    ],
)
def test_name_is_cleaned(raw, name):
    assert clean_name(raw) == name


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "..",
        " ",
        "/",
        "a/",
        "\\",
        "a/..",
        "\x00",
        "\u202e",
        " . ",
        "\u200b",
        "\u200d\u2060",
    ],
)
def test_name_with_nothing_left_is_refused(raw):
    with pytest.raises(InvalidNameError, match="holds no name"):
        clean_name(raw)


def test_too_long_name_is_refused_with_the_numbers():
    with pytest.raises(InvalidNameError, match=r"256 characters, the limit is 255"):
        clean_name("x" * 256)


def test_cleaning_twice_changes_nothing():
    for code in range(0x11000):
        raw = f"a{chr(code)}b{chr(code)}"
        try:
            name = clean_name(raw)
        except InvalidNameError:
            continue
        assert clean_name(name) == name
        assert unicodedata.is_normalized("NFC", name)
        assert name.encode()


@pytest.mark.parametrize(
    ("raw", "folder"),
    [
        ("", ""),
        ("/", ""),
        ("a/b", "a/b"),
        ("/a//b/", "a/b"),
        (r"a\b", "a/b"),
        ("../a/./b/..", "a/b"),
        (" a / b\n", "a/b"),
        ("a/\u202e/b", "a/b"),
    ],
)
def test_folder_is_cleaned(raw, folder):
    assert clean_folder(raw) == folder


def test_too_long_folder_is_refused():
    assert len(clean_folder("x/" * 250)) == 499
    with pytest.raises(InvalidNameError, match="501 characters, the limit is 500"):
        clean_folder("x/" * 250 + "y")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.pdf", "pdf"),
        ("A.PDF", "pdf"),
        ("report.tar.gz", "gz"),
        ("README", ""),
        (".bashrc", ""),
        ("..hidden", ""),
        (".config.json", "json"),
        ("notes.", ""),
        ("a.b c", ""),
        ("x.c++", "c++"),
        ("x.a-b_c", "a-b_c"),
        ("x." + "y" * 16, "y" * 16),
        ("x." + "y" * 17, ""),
        ("x.ДОК", "док"),
        ("x.p$f", ""),
        ("x.straße", "straße"),
        ("x.İ", ""),
    ],
)
def test_suffix(name, suffix):
    assert suffix_of(name) == suffix


def test_form_escapes_are_undone_and_no_others():
    assert decode_form_name("a%22b%0D%0Ac%20d%2F") == 'a"b\r\nc%20d%2F'
    assert decode_form_name("%2522") == "%2522"
