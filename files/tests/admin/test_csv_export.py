from __future__ import annotations

import csv
import io

import pytest
from django.db import OperationalError

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.admin.csv_export import HEADER
from files.models import File, Label
from files.services.editing import edit_file
from files.tests.admin.pages import run_action
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def csv_of(response) -> list[list[str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment")
    data = b"".join(response)
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_csv_has_every_column_and_never_content(
    admin_client, admin_user, django_assert_max_num_queries
):
    Label.objects.create(space_id=DEFAULT_SPACE_ID, name="red")
    file = make_file(b"secret content", name='ünï, "x".txt', folder="a/b")
    edit_file(actor=SYSTEM, file_id=file.pk, labels=["red"])
    File.objects.filter(pk=file.pk).update(owner=admin_user)
    for number in range(20):
        make_file(name=f"{number}.txt")
    with django_assert_max_num_queries(20):
        rows = csv_of(run_action(admin_client, "export_csv", file, select_across="1"))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == 22
    file.refresh_from_db()
    row = dict(zip(HEADER, rows[-1], strict=True))
    assert row == {
        "id": str(file.pk),
        "name": 'ünï, "x".txt',
        "folder": "a/b",
        "suffix": "txt",
        "mime_type": "text/plain",
        "size": "14",
        "hash": file.hash,
        "upload_date": file.upload_date.isoformat(),
        "updated_at": file.updated_at.isoformat(),
        "deleted_at": "",
        "version": "2",
        "space": str(file.space),
        "owner": "admin",
        "home": "row",
        "labels": "red",
    }
    assert "secret" not in str(rows)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        # Twice, as what parts two cells in one place is part of a cell in another.
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("\t1", "'\t1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        (" =1", "' =1"),
        ('"=1', "'\"=1"),
        ("a=1", "a=1"),
        ("1-1", "1-1"),
        ('","=1', '",\'"=1'),
        ("a\n=1", "a\n'=1"),
        ("a;=1+1;b", "a;'=1+1;b"),
        ("a\t=1", "a\t'=1"),
        ("a, -1;@b", "a,' -1;'@b"),
        ('a;"=1;', "a;'\"=1;"),
        ("a;b, c", "a;b, c"),
    ],
)
def test_csv_cells_are_never_formulas(admin_client, name, cell):
    file = make_file()
    File.objects.filter(pk=file.pk).update(name=name, folder=name)
    rows = csv_of(run_action(admin_client, "export_csv", file))
    assert rows[1][1:3] == [cell, cell]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_has_no_formula_however_it_is_parted(admin_client, delimiter):
    file = make_file()
    parts = ["=1", '"=1', "'=1", " @1", "x=1", '"', "'"]
    names = [first + sign + last for first in parts for sign in ";,\t\n" for last in parts]
    for name in names:
        File.objects.filter(pk=file.pk).update(name=name, folder=name)
        data = b"".join(run_action(admin_client, "export_csv", file)).decode("utf-8-sig")
        lines = data.splitlines()
        cells = [cell for line in csv.reader(lines, delimiter=delimiter) for cell in line]
        assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))], name


def test_csv_quotes_every_cell(admin_client):
    make_file(name="a.txt")
    data = b"".join(run_action(admin_client, "export_csv", File.objects.get())).decode("utf-8-sig")
    for line in data.splitlines():
        assert len(line.split('","')) == len(HEADER)


def test_a_table_that_breaks_off_says_so_at_its_end(admin_client, monkeypatch):
    def fail(ids: list[int]) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    file = make_file(name="a.txt")
    monkeypatch.setattr("files.admin.csv_export._rows", fail)
    response = run_action(admin_client, "export_csv", file)
    lines = []
    with pytest.raises(OperationalError):
        lines.extend(response)
    assert lines[-1] == b'"The table broke off here: it is not complete."\r\n'
