from __future__ import annotations

import sys
import unicodedata
from pathlib import PureWindowsPath

import pytest

from files.member_names import MemberNames, safe_part

LONG = "x" * 300


def path(name: str, folder: str = "") -> str:
    return MemberNames().path_of(folder, name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", "report.pdf"),
        (".bashrc", ".bashrc"),
        ("naïve 文件 😀.txt", "naïve 文件 😀.txt"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("..\\..\\boot.ini", ".._.._boot.ini"),
        ("C:\\a", "C__a"),
        ("C:", "C_"),
        ("a:stream", "a_stream"),
        ('<>:"|?*', "_______"),
        ("", "_"),
        (".", "_"),
        ("..", "_"),
        ("...", "_"),
        (". .", "_"),
        ("   ", "_"),
        ("a.", "a"),
        ("a. . ", "a"),
        ("a .txt", "a .txt"),
        ("a\x00b\x1fc\x7fd\x85e.txt", "abcde.txt"),
        ("a\nb.txt", "ab.txt"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("\u2066a\u2069\u200f\u061c.txt", "a.txt"),
        ("a\ufeff\u2028.txt", "a.txt"),
        ("a\ud800.txt", "a.txt"),
        ("\u202e", "_"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Nul.tar.gz", "_Nul.tar.gz"),
        ("aux .txt", "_aux .txt"),
        ("PRN.", "_PRN"),
        ("NU\u200eL", "_NUL"),
        ("COM1", "_COM1"),
        ("com9.log", "_com9.log"),
        ("LPT³.x", "_LPT³.x"),
        ("COM10", "COM10"),
        ("conin$", "_conin$"),
        ("CONOUT$.txt", "_CONOUT$.txt"),
        ("console", "console"),
        (LONG, "x" * 255),
        (f"{LONG}.pdf", "x" * 251 + ".pdf"),
        ("ü" * 200 + ".txt", "ü" * 125 + ".txt"),
        ("😀" * 200 + ".txt", "😀" * 62 + ".txt"),
        ("a." + LONG, "a." + "x" * 253),
        ("x" * 254 + ". .", "x" * 254),
        ("x" * 254 + " y", "x" * 254),
    ],
)
def test_names(name, expected):
    assert path(name) == expected


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("", "a"),
        ("x/y", "x/y/a"),
        ("/x//y/", "x/y/a"),
        ("../../x", "x/a"),
        ("x/./../y", "x/y/a"),
        ("..\\x\\y", "x/y/a"),
        ("C:/Windows", "C_/Windows/a"),
        ("x. /y...", "x/y/a"),
        ("nul/aux.d", "_nul/_aux.d/a"),
        ("\u202e/x", "x/a"),
    ],
)
def test_folders(folder, expected):
    assert path("a", folder) == expected


HOSTILE = [
    *(
        "..",
        ".",
        "/",
        "\\",
        "C:\\x",
        "con",
        "NUL.txt",
        "a\0b",
        "a\nb",
        "\u202e",
        "\ud800",
        "a. ",
        " ",
    ),
    *(f"{device}{end}" for device in ("COM1", "lpt²", "ConIn$") for end in ("", ".x", " .x", ". ")),
    *(chr(code) * 3 + ".txt" for code in range(0x3000)),
    *(LONG + end for end in (".txt", " ", ".", "😀" * 99, "." + LONG, ".x" * 99)),
    *("é" * count for count in (126, 127, 128, 129, 255)),
]


def assert_safe(path: str) -> None:
    for part in path.split("/"):
        assert part not in ("", ".", "..")
        assert len(part.encode()) <= 255
        assert not set(part) & set('<>:"|?*\\')
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in part)
        assert not any(
            unicodedata.bidirectional(char) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI")
            for char in part
        )
        assert part[-1] not in ". "
        assert unicodedata.is_normalized("NFC", part)
        # Python 3.13 has moved it, and warns.
        if sys.version_info < (3, 13):
            assert not PureWindowsPath(part).is_reserved()


def test_no_name_is_misread_anywhere():
    names = MemberNames()
    for name in HOSTILE:
        assert_safe(names.path_of(name, name))
        assert_safe(names.path_of("", name))


def paths(*files: str) -> list[str]:
    """Return the paths of files that are given as "folder|name"."""
    names = MemberNames()
    return [
        names.path_of(folder, name) for folder, _, name in (file.rpartition("|") for file in files)
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.pdf", "a.pdf", "a.pdf"], ["a.pdf", "a (2).pdf", "a (3).pdf"]),
        (["a (2).pdf", "a.pdf", "a.pdf"], ["a (2).pdf", "a.pdf", "a (3).pdf"]),
        (["a.pdf", "a.pdf", "a (2).pdf"], ["a.pdf", "a (2).pdf", "a (2) (2).pdf"]),
        (["a.pdf", "A.PDF"], ["a.pdf", "A (2).PDF"]),
        (["x|a", "X|A", "y|a"], ["x/a", "X/A (2)", "y/a"]),
        (["é", "e\u0301"], ["é", "é (2)"]),
        (["É", "é"], ["É", "é (2)"]),
        # What Windows, HFS+ and caseless comparison take for equal.
        (["straße", "STRASSE"], ["straße", "STRASSE (2)"]),
        (["ıx", "IX"], ["ıx", "IX (2)"]),
        (["ΣΑΣ", "σας"], ["ΣΑΣ", "σας (2)"]),
        (["a\u200db", "ab"], ["a\u200db", "ab (2)"]),
        (["a:b", "a?b", "a_b"], ["a_b", "a_b (2)", "a_b (3)"]),
        (["README", "README"], ["README", "README (2)"]),
        ([".x", ".x"], [".x", ".x (2)"]),
        (["", ".."], ["_", "_ (2)"]),
        # A folder and a file of one name, whichever comes first.
        (["a", "a|b", "a|c"], ["a", "a (2)/b", "a (2)/c"]),
        (["a|b", "a", "A"], ["a/b", "a (2)", "A (3)"]),
    ],
)
def test_every_path_is_given_once(files, expected):
    assert paths(*files) == expected


def test_a_folder_in_a_folder_does_not_take_the_place_of_a_file():
    names = MemberNames()
    assert names.path_of("x", "y") == "x/y"
    assert names.path_of("x/y", "z") == "x/y (2)/z"
    assert names.path_of("x/y", "z") == "x/y (2)/z (2)"


def test_numbers_fit_into_long_names():
    first, second = paths(f"{LONG}.pdf", f"{LONG}.pdf")
    assert first == "x" * 251 + ".pdf"
    assert second == "x" * 247 + " (2).pdf"


def test_names_that_differ_where_they_are_cut():
    assert len(set(paths(*(f"{LONG}{number}.pdf" for number in range(50))))) == 50


def test_many_files_of_one_name_are_numbered_quickly_and_without_gaps():
    names = MemberNames()
    got = {names.path_of("", "report.pdf") for _ in range(20_000)}
    assert got == {"report.pdf", *(f"report ({number}).pdf" for number in range(2, 20_001))}


def test_many_folders_are_kept_apart():
    names = MemberNames()
    got = [names.path_of(f"folder {number}", "a") for number in range(5000)]
    # Their places are not remembered by now, and are found again.
    assert names.path_of("folder 0", "b") == "folder 0/b"
    assert got == [f"folder {number}/a" for number in range(5000)]


def test_the_same_files_get_the_same_paths():
    files = [name for name in HOSTILE for _ in range(2)]
    one, other = MemberNames(), MemberNames()
    first = [one.path_of("x", name) for name in files]
    assert first == [other.path_of("x", name) for name in files]
    folded = {unicodedata.normalize("NFC", path).casefold() for path in first}
    assert len(folded) == len(files)


def test_safe_part_of_nothing_is_nothing():
    assert [safe_part(text) for text in ("", ".", "..", " . ", "\u202e")] == [""] * 5
