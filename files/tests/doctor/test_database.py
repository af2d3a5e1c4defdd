from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from files.doctor import database
from files.doctor.findings import Finding, Status
from files.models import Content, File, Space
from files.tests.factories import make_file

needs_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")


def only(check) -> Finding:
    found: Finding
    (found,) = check()
    return found


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_database_is_well():
    found = list(database.database_checks())

    assert {one.status for one in found} <= {Status.OK, Status.WARNING}, found
    assert {"Database", "Migrations", "Writing", "Sweeping"} <= {one.check for one in found}
    assert not Space.objects.filter(name="doctor").exists()


@needs_sqlite
def test_database_that_is_not_there_is_not_made(monkeypatch, tmp_path):
    monkeypatch.setitem(connection.settings_dict, "NAME", tmp_path / "none.sqlite3")

    found = only(database.database_checks)

    assert found.status is Status.PROBLEM
    assert "migrate" in found.hint
    assert not (tmp_path / "none.sqlite3").exists()


@needs_sqlite
def test_database_that_is_none_is_told(monkeypatch, tmp_path):
    path = tmp_path / "none.sqlite3"
    path.write_bytes(b"this is no database, but a longer text about one" * 9)

    def cursor():
        raise DatabaseError("file is not a database")

    monkeypatch.setitem(connection.settings_dict, "NAME", path)
    monkeypatch.setattr(connection, "cursor", cursor)

    assert "cannot be reached: file is not a database" in only(database.database_checks).text


@pytest.mark.django_db
def test_missing_migrations_are_told():
    MigrationRecorder.Migration.objects.filter(app="files").latest("id").delete()

    found = only(database.migrations)

    assert found.status is Status.PROBLEM
    assert "1 are to be applied: files." in found.text


@pytest.mark.django_db
def test_database_that_takes_no_change_is_told(monkeypatch):
    def save(self, *arguments, **options):
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(Space, "save", save)

    assert "takes no change: attempt to write a readonly" in only(database.writing).text


@needs_sqlite
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_pragmas_that_are_not_in_force_are_told():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = OFF")
    try:
        found = {one.check: one for one in database.sqlite()}
    finally:
        connection.close()

    assert found["SQLite synchronous"].status is Status.WARNING
    assert found["SQLite journal_mode"].status is Status.OK


@needs_sqlite
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_quick_check_is_bounded(monkeypatch):
    monkeypatch.setattr(database, "QUICK_CHECK_S", -1.0)
    monkeypatch.setattr(database, "STEPS_BETWEEN", 1)

    found = only(database.quick_check)

    assert found.status is Status.OK
    assert "it was looked for" in found.text
    File.objects.count()  # The handler is gone.


@needs_sqlite
def test_damaged_database_is_told(monkeypatch, tmp_path):
    path = tmp_path / "damaged.sqlite3"
    with sqlite3.connect(path) as broken:
        broken.execute("PRAGMA page_size = 512")
        broken.execute("CREATE TABLE one (a)")
        broken.executemany("INSERT INTO one VALUES (?)", [("x" * 300,)] * 50)
    broken.close()
    raw = bytearray(path.read_bytes())
    raw[4 * 512 : 5 * 512] = b"\xff" * 512
    path.write_bytes(raw)
    driver = sqlite3.connect(path)
    default = connections["default"]
    monkeypatch.setattr(default, "ensure_connection", lambda: None)
    monkeypatch.setattr(default, "connection", driver)

    found = only(database.quick_check)
    driver.close()

    assert found.status is Status.PROBLEM


@pytest.mark.django_db
def test_leftovers_are_told():
    assert only(database.leftovers).status is Status.OK
    Content.objects.create(
        state=Content.State.RELEASED, keep_until=timezone.now() - timedelta(days=2)
    )

    assert only(database.leftovers).status is Status.WARNING


@pytest.mark.django_db
def test_upload_of_the_future_is_told():
    file = make_file()
    assert not list(database.dates())
    File.objects.filter(pk=file.pk).update(upload_date=timezone.now() + timedelta(hours=1))

    assert only(database.dates).status is Status.WARNING


@needs_sqlite
@pytest.mark.django_db
def test_newest_upload_of_each_space_is_read_off_its_index():
    late = make_file()
    other = Space.objects.create(name="other")
    File.objects.filter(pk=late.pk).update(
        space=other, upload_date=timezone.now() + timedelta(hours=1)
    )
    make_file()
    with CaptureQueriesContext(connection) as captured:
        assert only(database.dates).status is Status.WARNING

    asked = [query["sql"] for query in captured if "upload_date" in query["sql"]]
    assert len(asked) == Space.objects.count() > 1
    with connection.cursor() as cursor:
        for statement in asked:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            plan = " ".join(row[-1] for row in cursor.fetchall())
            assert "SEARCH file USING COVERING INDEX file_by_upload_date" in plan
            assert "TEMP B-TREE" not in plan
