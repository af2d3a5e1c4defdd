"""Copies that are refused: nothing that may be somebody's library is ever written to."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from files.models import Content, File, Space
from files.services.copying import contents, rows
from files.services.copying.databases import opened
from files.services.copying.mark import prepare_target
from files.storage.chunk_rows import add_chunks
from files.tests.copied_libraries import look_into, run_copy
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


def refusal(target: str, *arguments: str, status: int = 2) -> str:
    """Run the command, which must refuse; return what it says."""
    found, report, said = run_copy(target, *arguments)
    assert (found, report.get("copied_files", 0)) == (status, 0)
    return said


@pytest.mark.parametrize(
    "change",
    [
        lambda: User.objects.using("changed").create(username="somebody"),
        lambda: Group.objects.using("changed").create(name="some"),
        lambda: Space.objects.using("changed").create(name="another"),
    ],
)
def test_target_with_anything_of_its_own_is_refused(target, change):
    with opened(target, "changed"):
        change()
    before = look_into(target)

    assert "The target is not empty: there are " in refusal(target)

    assert look_into(target) == before


def test_database_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE invoices (id)")

    assert "it has the tables invoices. Make an empty" in refusal(f"sqlite:///{path}")

    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("invoices",)]


def test_copy_of_another_library_is_refused(target):
    run_copy(target)
    Space.objects.update(created_at=timezone.now())

    assert "is a copy of another library" in refusal(target)


@pytest.mark.parametrize(
    "use",
    [
        lambda: Space.objects.using("used").create(name="new"),
        lambda: User.objects.using("used").update(last_login=timezone.now()),
        lambda: File.everything.using("used").update(updated_at=timezone.now()),
        lambda: File.everything.using("used").all().delete(),
    ],
)
def test_copy_that_was_used_since_is_refused(target, use):
    User.objects.create_user("anna")
    make_file()
    assert run_copy(target)[0] == 0
    with opened(target, "used"):
        use()
    before = look_into(target)
    make_file()

    assert "The target was used since it was copied" in refusal(target)
    assert "used since" in refusal(target, "--dry-run")

    assert look_into(target) == before


def test_source_with_bytes_that_are_not_in_the_database_is_refused(target):
    Content.objects.create(home="s3", key="1/2")
    before = look_into(target)

    assert "The bytes of 1 contents are not in " in refusal(target)
    assert "in objects, which this command does not copy yet." in refusal(target, "--dry-run")

    assert look_into(target) == before


def test_source_itself_by_another_address_is_refused_and_stays_usable(target, tmp_path):
    another = tmp_path / "another.db"
    another.symlink_to(target.removeprefix("sqlite:///"))

    assert "are the same database" in refusal(f"sqlite:///{another}", f"--from={target}")

    with closing(sqlite3.connect(another)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert ("copy_library",) not in tables


def test_source_itself_is_refused(target):
    make_file()
    run_copy(target)
    before = look_into(target)

    assert "are the same database" in refusal(target, f"--from={target}")

    assert look_into(target) == before
    assert run_copy(target)[0] == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "what",
        "ftp://me:S3CRET@host/name",
        "mysql://me:S3CRET/@host/name",
        "postgres://me:S3CRET@host:port/name",
        "postgres://me:S3CRET[@host/name",
        "oracle://me:S3CRET@host/name",
        "sqlite:////no such folder/S3CRET/x.db",
    ],
)
def test_no_password_is_shown(url):
    said = refusal(url)

    assert "S3CRET" not in said or "folder" in said


@pytest.mark.parametrize("scheme", ["mysql", "postgres"])
def test_server_that_is_away_is_told(scheme):
    said = refusal(f"{scheme}://me:S3CRET@127.0.0.1:9/name", status=3)

    assert said.startswith("The target cannot be opened: ")
    assert said.endswith("Run it again: it goes on.")
    assert "S3CRET" not in said


def test_target_may_be_named_by_the_environment(target, monkeypatch):
    monkeypatch.setenv("TARGET_DATABASE_URL", target)
    call_command("copy_library", "--json")
    assert look_into(target)["space"]

    monkeypatch.delenv("TARGET_DATABASE_URL")
    with pytest.raises(CommandError, match="or in TARGET_DATABASE_URL") as end:
        call_command("copy_library")
    assert end.value.returncode == 2


def test_source_must_be_there(target, tmp_path):
    path = tmp_path / "none.sqlite3"

    assert f"no database {path} to copy" in refusal(target, f"--from=sqlite:///{path}")

    assert not path.exists()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE invoices (id)")
    assert "There is no library in" in refusal(target, f"--from=sqlite:///{path}")


def test_source_must_be_of_this_version(target):
    MigrationRecorder.Migration.objects.create(app="files", name="9999_later")
    assert "newer version of this server (files.9999_later)" in refusal(target)
    MigrationRecorder.Migration.objects.filter(app="files").delete()
    assert "The source is behind" in refusal(target)


def test_migrations_of_another_database_leave_this_one_alone(tmp_path):
    """`--database` is heeded by all of them."""

    def forbidden(execute, sql, params, many, context):
        raise AssertionError(sql)

    path = tmp_path / "new.sqlite3"
    with opened(f"sqlite:///{path}", "made"):
        call_command("migrate", database="made", verbosity=0)
        with connections["default"].execute_wrapper(forbidden):
            call_command("migrate", "files", "0003", database="made", verbosity=0)
            call_command("migrate", database="made", verbosity=0)
        assert Space.objects.using("made").count() == 1


def test_run_that_another_has_overtaken_ends(target, monkeypatch):
    make_file()
    copy = contents.FileCopier.copy

    def overtaken(self):
        with opened(target, "other") as database:
            prepare_target(connections["default"], database)
        return copy(self)

    monkeypatch.setattr(contents.FileCopier, "copy", overtaken)

    assert "Another copy_library writes to this target" in refusal(target)


def test_nothing_is_written_to_the_source(target, monkeypatch):
    monkeypatch.setattr(
        contents.FileCopier, "copy", lambda self: Space.objects.update(name="changed")
    )

    with pytest.raises(RuntimeError, match="is only read, not: UPDATE"):
        run_copy(target)


def test_row_that_the_target_refuses_is_told_and_the_others_are_taken(target, monkeypatch):
    """As where it takes two names for the same that the source tells apart."""
    _, _, refused = (User.objects.create_user(name) for name in ("anna", "berta", "otto"))
    insert_rows = rows.insert_rows

    def picky(alias, model, fields, rows):
        if model is User and any("otto" in row for row in rows):
            raise IntegrityError("Duplicate entry 'otto' for key 'username'")
        insert_rows(alias, model, fields, rows)

    monkeypatch.setattr(rows, "insert_rows", picky)
    status, report, said = run_copy(target)

    assert (status, report["is_complete"], report["refused_rows"]) == (1, False, 1)
    assert f"does not take row {refused.pk} of auth_user: Duplicate entry" in said
    assert [user["username"] for user in look_into(target)["auth_user"]] == ["anna", "berta"]


def test_target_that_changes_bytes_is_told(target, monkeypatch):
    make_file(noise(5000))
    add = add_chunks
    monkeypatch.setattr(
        contents,
        "add_chunks",
        lambda pk, rows, **using: add(
            pk, [row._replace(data=b"?" * len(row.data)) for row in rows], **using
        ),
    )

    said = refusal(target, status=3)

    assert "The target gives back other bytes of file" in said
    with opened(target, "looked_at"):
        assert not File.everything.using("looked_at").exists()
        assert not Content.objects.using("looked_at").exists()


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("server closed the connection", 3, "Broken off: server closed the connection."),
        ("database or disk is full", 1, "The target has no room left. Run it again"),
    ],
)
def test_target_that_fails_is_told(target, monkeypatch, words, status, told):
    make_file(noise(5000))

    def failing(pk, rows, **using):
        raise OperationalError(words)

    monkeypatch.setattr(contents, "add_chunks", failing)
    found, report, said = run_copy(target)
    assert (found, report["copied_files"], told in said) == (status, 0, True)
    monkeypatch.undo()

    assert run_copy(target)[0] == 0
