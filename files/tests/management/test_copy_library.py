from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import Chunk, Content, Event, File, Label, Space, Total
from files.services.copying import contents, library, rows
from files.services.copying.databases import opened
from files.services.copying.mark import unfinished_copy
from files.services.deletion import delete_file, purge_file, restore_file
from files.services.editing import edit_file
from files.services.labels import create_label, delete_label
from files.services.uploads import begin
from files.tests.copied_libraries import (
    MIB,
    copy_to_the_end,
    flip,
    look_at,
    look_into,
    make_library,
    names_of_labels,
    run_copy,
    strays,
)
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


def test_all_of_a_library_is_copied(target):
    make_library()
    before = look_at()

    report = copy_to_the_end(target)

    assert look_into(target) == before == look_at()
    assert report["copied_files"] == report["files"] == File.everything.count()
    assert report["copied_bytes"] == sum(File.everything.values_list("size", flat=True))
    with opened(target, "looked_at"):
        for file in File.everything.using("looked_at"):
            assert file.size <= 2048 or file.content.state == Content.State.STORED
        assert strays("looked_at") == []


def test_pages_of_rows_are_all_copied(target, monkeypatch):
    monkeypatch.setattr(rows, "PAGE", 7)
    monkeypatch.setattr(contents, "SHORT_BATCH_FILES", 3)
    for _ in range(30):
        make_file()
    purge_file(actor=SYSTEM, file_id=make_file().pk)

    copy_to_the_end(target)

    assert look_into(target) == look_at()


def test_second_run_copies_nothing(target):
    make_library()
    copy_to_the_end(target)

    report = copy_to_the_end(target)

    assert (report["copied_files"], report["written_rows"], report["removed_rows"]) == (0, 0, 0)


def test_second_run_copies_the_difference(target):
    make_library()
    copy_to_the_end(target)
    small, row, long, trashed = (
        File.everything.get(name=name)
        for name in ("1.bin", "2048.bin", "5242883.bin", "1048576.bin")
    )
    edit_file(actor=SYSTEM, file_id=small.pk, name="other.pdf", labels=[])
    purge_file(actor=SYSTEM, file_id=row.pk)
    delete_file(actor=SYSTEM, file_id=long.pk)
    # Comes back with other bytes, under another name.
    make_file(noise(MIB, MIB + 1), name="again.bin")
    make_file(noise(3 * MIB, 1), name="new.bin")
    make_file(noise(2048, 2049), name="the same bytes in a new row.bin")
    delete_label(actor=SYSTEM, label_id=Label.objects.get(name="red").pk)
    create_label(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="red")
    User.objects.get().delete()
    User.objects.create_user("anna")
    Group.objects.update(name="Office")
    Space.objects.filter(pk=DEFAULT_SPACE_ID).update(name="Renamed")
    assert File.everything.get(pk=trashed.pk).content_id != trashed.content_id

    report = copy_to_the_end(target)

    assert look_into(target) == look_at()
    assert report["copied_files"] == 3
    with opened(target, "looked_at"):
        assert strays("looked_at") == []


def test_names_that_were_exchanged_are_exchanged(target):
    one, two = (create_label(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name=name) for name in "ab")
    file = make_file()
    edit_file(actor=SYSTEM, file_id=file.pk, labels=["a"])
    copy_to_the_end(target)
    for label, name in ((one, "c"), (two, "a"), (one, "b")):
        Label.objects.filter(pk=label.pk).update(name=name)

    copy_to_the_end(target)

    assert look_into(target) == look_at()


def test_next_ids_are_fresh(target):
    """Not even those of what was deleted are given again."""
    make_library()
    newest_id = make_file().pk
    purge_file(actor=SYSTEM, file_id=newest_id)
    copy_to_the_end(target)

    with opened(target, "looked_at"):
        file = File.everything.using("looked_at").first()
        file.pk, file.hash = None, "0" * 64
        file.save(using="looked_at", force_insert=True)
        assert (file.pk or 0) > newest_id
        content = Content(size=1)
        content.save(using="looked_at")
        assert content.pk > Content.objects.latest("pk").pk


def test_dry_run_counts_and_writes_nothing(target, tmp_path):
    make_library()
    files = File.everything.count()
    (tmp_path / "copy.sqlite3").unlink()

    status, report, _ = run_copy(target, "--dry-run")

    assert (status, report["copied_files"], report["files"]) == (0, files, 0)
    assert not (tmp_path / "copy.sqlite3").exists()
    copy_to_the_end(target)
    make_file(b"new", name="new")
    edit_file(actor=SYSTEM, file_id=File.objects.get(name="1.bin").pk, name="x.bin")
    before = look_into(target)
    status, report, _ = run_copy(target, "--dry-run")
    assert (status, report["copied_files"], report["copied_bytes"]) == (0, 1, 3)
    assert report["files"] == files
    assert look_into(target) == before


def test_what_nobody_owns_is_not_copied(target):
    incoming = begin(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="half")
    Content.objects.create(state=Content.State.RECEIVING, size=5)
    Content.objects.create(state=Content.State.RELEASED, size=5)
    assert incoming.received == 0

    copy_to_the_end(target)

    with opened(target, "looked_at"):
        assert not Content.objects.using("looked_at").exists()


def test_damage_in_the_source_is_told_and_left_out(target):
    make_library()
    make_file(noise(4 * MIB, 5), name="gap.bin")
    found = {file.name: file for file in File.everything.all()}
    flip("default", found["2049.bin"])
    flip("default", found["5242883.bin"], 2 * MIB)
    Chunk.objects.filter(content=found["gap.bin"].content, offset=MIB).delete()
    File.everything.filter(name="2048.bin").update(data=b"x" * 2048)
    other = "1" * 64
    File.everything.filter(name__in=["1048577.bin"]).update(hash=other)

    status, report, said = run_copy(target)

    assert (status, report["is_complete"]) == (1, True)
    texts = {one["name"]: one["text"] for one in report["damaged"]}
    content = {name: f"content {file.content_id}" for name, file in found.items()}
    assert texts == {
        "2048.bin": "the bytes in its row are damaged",
        "2049.bin": f"bytes 0 to 2,049 of {content['2049.bin']} are damaged",
        "5242883.bin": (f"bytes 2,097,152 to 3,145,728 of {content['5242883.bin']} are damaged"),
        "gap.bin": f"bytes 1,048,576 to 2,097,152 of {content['gap.bin']} are missing",
        "1048577.bin": f"the bytes of {content['1048577.bin']} are those of another file",
    }
    assert f"File {found['gap.bin'].pk} “gap.bin” is damaged in the source and left out" in said
    with opened(target, "looked_at"):
        assert File.everything.using("looked_at").count() == len(found) - 5
        assert strays("looked_at") == []
        # Totals are those of what is there.
        totals = Total.objects.using("looked_at").exclude(suffix=None).values_list("count", "bytes")
        live = File.objects.using("looked_at").values_list("size", flat=True)
        assert tuple(map(sum, zip(*totals, strict=True))) == (len(live), sum(live))
    assert run_copy(target)[0] == 1


def test_damage_that_came_after_the_copy_does_not_reach_it(target):
    file = make_file(noise(3 * MIB))
    copy_to_the_end(target)
    flip("default", file)
    edit_file(actor=SYSTEM, file_id=file.pk, name="renamed.bin")

    copy_to_the_end(target)

    with opened(target, "looked_at"):
        assert File.objects.using("looked_at").get().name == "renamed.bin"


def test_unfinished_copy_is_told(target, monkeypatch):
    make_library()
    assert unfinished_copy() == ""
    monkeypatch.setattr(library, "ROUNDS", 1)
    run_copy(target)
    with opened(target, "looked_at") as database:
        monkeypatch.setattr("files.services.copying.mark.connection", database)
        assert "unfinished copy of a library: run manage.py copy_library again" in unfinished_copy()
    monkeypatch.undo()
    copy_to_the_end(target)
    with opened(target, "looked_at") as database:
        monkeypatch.setattr("files.services.copying.mark.connection", database)
        assert unfinished_copy() == ""


def test_events_and_labels_are_there(target):
    make_library()

    copy_to_the_end(target)

    with opened(target, "looked_at"):
        assert names_of_labels("looked_at") == ["Red", "red", "röd"]
        assert Event.objects.using("looked_at").count() == Event.objects.count() > 0
    assert restore_file(actor=SYSTEM, file_id=File.everything.get(name="1048576.bin").pk).pk
    assert connection.alias == "default"
