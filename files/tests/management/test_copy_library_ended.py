"""What a copy makes of runs that were ended, and of a source in use meanwhile."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from files.actors import SYSTEM
from files.models import Content, File
from files.services.copying import contents, library
from files.services.copying.databases import opened
from files.services.deletion import purge_file
from files.storage.chunk_rows import add_chunks
from files.tests.copied_libraries import (
    MIB,
    copy_to_the_end,
    flip,
    look_at,
    look_into,
    make_library,
    run_copy,
    strays,
)
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_use(monkeypatch) -> None:
    """Let tests do in the midst of a copy what others would do on connections of their own."""
    monkeypatch.setattr(library, "_only_reading", lambda execute, *given: execute(*given))


class TestEndedRuns:
    """What a run left when it was ended in the middle of a long file."""

    @pytest.fixture
    def file(self, target, monkeypatch) -> File:
        make_file()
        file = make_file(noise(20 * MIB))
        add = add_chunks
        calls = iter(range(1_000))

        def ended(content_id, rows, **using):
            if next(calls) == 5:
                raise KeyboardInterrupt
            add(content_id, rows, **using)

        monkeypatch.setattr(contents, "add_chunks", ended)
        status, report, said = run_copy(target)
        assert (status, report["copied_files"]) == (130, 1)
        assert "Interrupted. Run it again: it goes on." in said
        monkeypatch.undo()
        return file

    def test_next_run_goes_on(self, target, file, monkeypatch):
        added = []
        add = add_chunks

        def counted(content_id, rows, **using):
            added.extend(rows)
            add(content_id, rows, **using)

        monkeypatch.setattr(contents, "add_chunks", counted)

        copy_to_the_end(target)

        # Batches of 8 MiB were committed.
        assert [row.offset for row in added] == list(range(16 * MIB, 20 * MIB, MIB))
        assert look_into(target) == look_at()

    def test_it_is_not_swept(self, target, file):
        with opened(target, "looked_at"):
            contents = Content.objects.using("looked_at")
            assert strays("looked_at") == [(file.content_id, "receiving")]
            assert not contents.abandoned().exists()

    def test_damage_meanwhile_is_noticed(self, target, file):
        with opened(target, "looked_at"):
            flip("looked_at", file, 3 * MIB)

        status, report, said = run_copy(target)

        assert (status, report["is_complete"]) == (0, True)
        assert "its unfinished copy was damaged, and is made anew" in said
        assert look_into(target) == look_at()

    def test_file_that_was_deleted_meanwhile_goes(self, target, file):
        purge_file(actor=SYSTEM, file_id=file.pk)

        copy_to_the_end(target)

        with opened(target, "looked_at"):
            assert strays("looked_at") == []


def test_source_in_use_is_told(target, monkeypatch, in_use):
    make_library()
    round_of = library.LibraryCopy._round

    def busy(self):
        make_file()
        return round_of(self)

    monkeypatch.setattr(library.LibraryCopy, "_round", busy)
    status, report, said = run_copy(target)
    assert (status, report["is_complete"]) == (1, False)
    assert "stop its server and run this again" in said
    monkeypatch.setattr(library.LibraryCopy, "_round", round_of)

    copy_to_the_end(target)

    assert look_into(target) == look_at()


def test_rows_of_what_came_meanwhile_wait(target, monkeypatch, in_use):
    """A file may point to a user whom the copy has passed already."""
    copy = contents.FileCopier.copy

    def busy(self):
        if not User.objects.exists():
            user = User.objects.create_user("late")
            File.everything.filter(pk=make_file().pk).update(owner=user)
        return copy(self)

    monkeypatch.setattr(contents.FileCopier, "copy", busy)

    copy_to_the_end(target)

    assert look_into(target) == look_at()
    assert User.objects.exists()
