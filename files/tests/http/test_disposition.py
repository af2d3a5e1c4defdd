import re
from email.message import Message

import pytest

from files.http.disposition import ascii_fallback, content_disposition

NAMES = [
    "report.pdf",
    "naïve café.txt",
    "Отчёт за год.pdf",
    "年度报告.docx",
    "年次報告 ヴ.xlsx",
    "تقرير سنوي.pdf",
    "דוח שנתי.pdf",
    "वार्षिक रिपोर्ट.odt",
    "รายงาน.csv",
    "👩🏽‍💻 notes 🎉.md",
    'say "hi" \\ now.txt',
    "100% done %41.txt",
    "it's; filename=evil.exe.txt",
    "trailing dot.",
    ".bashrc",
    "Makefile",
    "x" * 251 + ".txt",
    "é" * 251 + ".txt",
    "🎉" * 251 + ".txt",
]

FALLBACKS = [
    ("report.pdf", "report.pdf"),
    ("a b;c'd,e.tar.gz", "a b;c'd,e.tar.gz"),
    ("naïve café.txt", "naive cafe.txt"),
    ("Łódź–2024.txt", "_odz_2024.txt"),
    ("Отчёт 2024.pdf", "_ 2024.pdf"),
    ("Отчёт.pdf", "file.pdf"),
    ("年度报告.docx", "file.docx"),
    ("🎉.md", "file.md"),
    ("🎉", "file"),
    ("", "file"),
    ('a"b\\c/d.txt', "a_b_c_d.txt"),
    ('"".txt', "file.txt"),
    ("50%.txt", "50_.txt"),
    ("%41%2f.txt", "_41_2f.txt"),
    ("\uff0541\uff02.txt", "_41_.txt"),  # full-width % and "
    ("___.py", "___.py"),
    ("__init__.py", "__init__.py"),
    (".bashrc", ".bashrc"),
    (".отчёт", "file"),
    ("report.отчёт", "report._"),
    ("a\r\nSet-Cookie: x=1.txt", "a_Set-Cookie: x=1.txt"),
    ("a\x00\x7f\x85.txt", "a_.txt"),
    ("a\ud800.txt", "a_.txt"),
]


@pytest.mark.parametrize(("name", "expected"), FALLBACKS)
def test_fallback(name, expected):
    assert ascii_fallback(name) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("disposition", ["attachment", "inline"])
def test_a_parser_reads_back_the_whole_name(disposition, name):
    value = content_disposition(disposition, name)
    message = Message()
    message["Content-Disposition"] = re.sub(r'filename="[^"]*"; ', "", value)
    assert message.get_content_disposition() == disposition
    assert message.get_filename() == name


@pytest.mark.parametrize("name", [*NAMES, *(name for name, _ in FALLBACKS)])
def test_value_keeps_to_the_grammar(name):
    value = content_disposition("attachment", name)
    assert re.fullmatch(
        r'attachment; filename="[ !#$&-.0-\[\]-~]+"; '
        r"filename\*=UTF-8''(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})*",
        value,
    )


def test_control_characters_and_lone_surrogates_are_replaced_in_both():
    assert content_disposition("attachment", "a\r\nb\x00\ud800.txt") == (
        "attachment; filename=\"a__b__.txt\"; filename*=UTF-8''a__b__.txt"
    )


def test_joiners_in_emoji_and_scripts_stay():
    assert content_disposition("inline", "👩‍💻.md").endswith("%E2%80%8D%F0%9F%92%BB.md")
