"""The form parser: what it takes, and how it refuses the rest."""

from __future__ import annotations

import pytest

from files.exceptions import (
    BrokenMultipartError,
    InvalidNameError,
    MissingFileError,
    SeveralFilesError,
)
from files.tests.http.forms import BOUNDARY, file_part, form, part, read


def test_file_and_the_fields_before_it():
    body = form(
        part('name="csrfmiddlewaretoken"', b"secret"),
        part('name="folder"', "Übung/1".encode()),
        file_part(b"hello"),
        part('name="after"', b"ignored"),
    )
    head, data = read(body)
    assert head.name == "a.txt"
    assert head.fields == {"csrfmiddlewaretoken": "secret", "folder": "Übung/1"}
    assert data == b"hello"


def test_digest_of_the_part_is_passed_on():
    head, _ = read(form(file_part(b"hello", "Content-Digest: sha-256=:abc:")))
    assert head.content_digest == "sha-256=:abc:"


@pytest.mark.parametrize(
    "name",
    ["Größe.pdf", "отчёт.docx", "报告.pdf", "تقرير.pdf", "रिपोर्ट.txt", "報告書😀.png", "a;b=c.txt"],
)
def test_name_comes_as_it_was_sent(name):
    for block in (1, 1 << 16):
        assert read(form(file_part(name=name)), block=block)[0].name == name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="a%22b.txt"', 'a"b.txt'),
        ('filename="a%0D%0Ab.txt"', "a\r\nb.txt"),
        ('filename="50%.txt"', "50%.txt"),
        ('filename="a%20b.txt"', "a%20b.txt"),
        (r'filename="a\"b.txt"', 'a"b.txt'),
        (r'filename="C:\dir\b.txt"', "b.txt"),
        (r'filename="back\slash.txt"', r"back\slash.txt"),
        ('filename="ends\\"', "ends\\"),
        ("filename=token.txt", "token.txt"),
        ("filename = spaced.txt", "spaced.txt"),
        ('FILENAME="a.txt"', "a.txt"),
        ("filename=\"=?utf-8?B?w6Q=?=\"; filename*=utf-8''%C3%A4.txt", "ä.txt"),
        ("filename*=UTF-8'de'%C3%A4.txt", "ä.txt"),
        ("filename=a.txt; filename*=iso-8859-1''%E4.txt", "a.txt"),
        ("filename=\"x; filename*=utf-8''no.txt\"", "x; filename*=utf-8''no.txt"),
    ],
)
def test_filename_as_browsers_and_programs_write_it(disposition, name):
    assert read(form(part(f'name="file"; {disposition}', b"x")))[0].name == name


def test_name_that_is_not_utf8_is_refused():
    body = form(file_part(name="café")).replace("é".encode(), b"\xe9")
    with pytest.raises(BrokenMultipartError, match="UTF-8"):
        read(body)


@pytest.mark.parametrize(
    ("body", "came"),
    [
        (form(), "an empty form"),
        (form(part('name="title"', b"x")), "“title” without filename"),
        (form(part('name="file"', b"x")), "“file” without filename"),
        (form(part('name="file"; filename=""')), "“file” without filename"),
        (form(part('name="upload"; filename="a.txt"', b"x")), "“upload” as a file"),
        (form(part('name="upload"; filename=""')), "“upload” without filename"),
    ],
)
@pytest.mark.parametrize("block", [1, 1 << 16])
def test_form_without_file_says_what_came(body, came, block):
    with pytest.raises(MissingFileError, match=f"named “file”.*what came: {came}"):
        read(body, block=block)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "multipart/mixed"])
def test_other_content_types_are_told_what_is_expected(content_type):
    with pytest.raises(MissingFileError, match="curl -F file=@"):
        read(form(file_part()), content_type)


def test_second_file_is_refused():
    for second in (file_part(b"2"), part('name="other"; filename="b"', b"2")):
        with pytest.raises(SeveralFilesError):
            read(form(file_part(b"1"), second))


def test_second_file_field_left_empty_is_none():
    body = form(part('name="other"; filename=""'), file_part(), part('name="x"; filename=""'))
    assert read(body)[1] == b"hello"


def test_bytes_without_a_name_are_refused():
    with pytest.raises(InvalidNameError, match="empty name"):
        read(form(part('name="file"; filename=""', b"x")))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b"preamble\r\n" + form(file_part()),
        form(file_part())[:-4],
        form(file_part())[:-10],
        form(file_part(), end=b""),
        form(file_part(), end=b"\r\n"),
        form(file_part(), end=b"--\r\nepilogue"),
        form(file_part(), end=b"--junk"),
        form(file_part()) + form(file_part()),
        form(file_part(b"a\r\n--" + BOUNDARY.encode() + b"-- b")),
        form(file_part(b"a\r\n--" + BOUNDARY.encode() + b"X")),
        form(file_part(), end=b"--" + b"\r\n" * 600),
        form(file_part()).replace(b"\r\n", b"\n"),
        form(b'Content-Disposition: attachment; name="file"; filename="a"\r\n\r\nx'),
        form(b"Content-Type: text/plain\r\n\r\nx"),
        form(b"no colon\r\n\r\nx"),
        form(b"\r\nx"),
        form(part('filename="a.txt"', b"x")),
        form(part('name="file";\r\n filename="a.txt"', b"x")),
        form(part(f'name="{"n" * 101}"', b"x"), file_part()),
        form(part('name="x"', b"\xff"), file_part()),
        form(part('name="x"', b"v" * 70_000), file_part()),
        form(*[part('name="x"', b"v" * 4000)] * 18, file_part()),
        form(file_part(), part('name="x"', b"v" * 70_000)),
        form(*[part('name="x"', b"v")] * 10_000, file_part()),
        form(file_part(b"x", *[f"X-{number}: 1" for number in range(20)])),
        form(file_part(b"x", "X-Long: " + "x" * 5000)),
        form(part('name="file"; filename="a"; ' + "x" * 10_000_000, b"x")),
        form(file_part(b"aGVsbG8=", "Content-Transfer-Encoding: base64")),
        form(file_part(b"hello", "Content-Length: 4")),
        form(file_part(name="nul\0.txt")),
        form(file_part(name="lone\n.txt")),
    ],
)
@pytest.mark.parametrize("block", [40, 1 << 16])
def test_broken_form_is_refused(body, block):
    with pytest.raises(BrokenMultipartError):
        read(body, block=block)


@pytest.mark.parametrize("block", [1, 1 << 16])
def test_line_break_before_the_first_boundary_is_fine(block):
    assert read(b"\r\n" + form(file_part()), block=block)[1] == b"hello"


@pytest.mark.parametrize("end", [b"--", b"--\r\n", b"--\r\n\r\n", b"--\n"])
@pytest.mark.parametrize("block", [1, 1 << 16])
def test_white_space_behind_the_end_is_fine(end, block):
    assert read(form(file_part(), end=end), block=block)[1] == b"hello"


@pytest.mark.parametrize("boundary", ["", "x" * 71, "ends ", "ü", 'qu"ote', "a\tb"])
def test_bad_boundary_is_refused(boundary):
    with pytest.raises(BrokenMultipartError, match="(?i)boundary"):
        read(form(file_part()), f'multipart/form-data; boundary="{boundary}"')
    with pytest.raises(BrokenMultipartError, match="boundary"):
        read(form(file_part()), "multipart/form-data")


@pytest.mark.parametrize("boundary", ["x", "x" * 70, "a b", "'()+_,-./:=?"])
def test_every_boundary_of_the_rfc_works(boundary):
    body = form(file_part(b"hello\r\n--x"[: 5 if boundary == "x" else None]), boundary=boundary)
    assert read(body, f'multipart/form-data; boundary="{boundary}"')[1].startswith(b"hello")
