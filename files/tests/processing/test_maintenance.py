from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import StorageBusyError
from files.models import Chunk, Content, File
from files.processing.maintenance import sweep
from files.services import uploads
from files.services.deletion import purge_file
from files.storage import read, storage_of
from files.tests.factories import make_file
from files.tests.samples import noise

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def age(**times: float) -> None:
    """Let everything that has a time be older."""
    Content.objects.exclude(keep_until=None).update(
        keep_until=models.F("keep_until") - timedelta(**times)
    )


def wait_for_batches(incoming: uploads.IncomingFile) -> None:
    """Let those be committed that another thread is writing."""
    assert incoming.writer is not None
    incoming.writer.seal()


def test_deleted_bytes_stay_for_the_grace_time():
    data = noise(3 << 20)
    file = File.objects.select_related("content").get(pk=make_file(data).pk)
    purge_file(actor=SYSTEM, file_id=file.pk)
    assert sweep().contents == 0
    assert b"".join(read(file, 0, file.size)) == data
    age(hours=1, minutes=1)
    swept = sweep()
    assert (swept.contents, swept.bytes) == (1, 3 << 20)
    assert not Chunk.objects.exists()
    assert not Content.objects.exists()


def test_what_a_crash_left_is_cleared():
    incoming = uploads.begin(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="a")
    uploads.append(incoming, noise(20 << 20))
    wait_for_batches(incoming)
    assert sweep().contents == 0
    age(hours=1, seconds=1)
    assert sweep().contents == 1
    assert not Chunk.objects.exists()


def test_an_upload_that_was_given_up_cannot_be_committed():
    incoming = uploads.begin(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name="a")
    uploads.append(incoming, noise(20 << 20))
    wait_for_batches(incoming)
    age(hours=2)
    sweep()
    with pytest.raises(StorageBusyError):
        uploads.commit(incoming)
    assert not File.everything.exists()


def test_stored_content_is_never_swept():
    file = make_file(noise(3 << 20))
    Content.objects.update(keep_until=timezone.now() - timedelta(days=1))
    assert sweep().contents == 0
    assert File.objects.get() == file


def test_what_a_file_owns_is_never_swept_whatever_its_state():
    data = noise(3 << 20)
    make_file(data)
    Content.objects.update(state="released", keep_until=timezone.now() - timedelta(days=1))
    assert sweep().contents == 0
    assert Chunk.objects.count() == 3


def test_thousands_are_swept_in_pages(monkeypatch):
    monkeypatch.setattr("files.processing.maintenance.PAGE", 7)
    past = timezone.now() - timedelta(days=1)
    Content.objects.bulk_create(Content(keep_until=past) for _ in range(30))
    assert sweep().contents == 30


def test_of_two_sweeps_one_takes_it(monkeypatch):
    purge_file(actor=SYSTEM, file_id=make_file(noise(3 << 20)).pk)
    age(hours=2)
    storage = storage_of(Content.Home.DATABASE)
    remove, others = storage.remove, []

    def remove_beside_another_sweep(content: Content) -> int:
        others.append(sweep())
        return remove(content)

    monkeypatch.setattr(storage, "remove", remove_beside_another_sweep)
    assert sweep().contents == 1
    assert [other.contents for other in others] == [0]


def test_what_a_killed_sweep_began_with_is_taken_by_a_later_one(monkeypatch):
    class KilledError(Exception):
        pass

    def be_killed(content: Content) -> int:
        raise KilledError

    purge_file(actor=SYSTEM, file_id=make_file(noise(3 << 20)).pk)
    age(hours=2)
    with monkeypatch.context() as patch, suppress(KilledError):
        patch.setattr(storage_of(Content.Home.DATABASE), "remove", be_killed)
        sweep()
    age(minutes=6)
    assert sweep().contents == 1
    assert not Chunk.objects.exists()


def test_a_long_download_renews_its_lease(monkeypatch):
    data = noise(6 << 20)
    file = File.objects.select_related("content").get(pk=make_file(data).pk)
    monkeypatch.setattr(Content, "GRACE_TIME", timedelta(0))
    blocks = read(file, 0, file.size)
    begun = [next(blocks)]
    purge_file(actor=SYSTEM, file_id=file.pk)
    monkeypatch.setattr(Content, "GRACE_TIME", timedelta(hours=1))
    begun += [next(blocks), next(blocks), next(blocks)]
    assert sweep().contents == 0
    assert b"".join([*begun, *blocks]) == data


@pytest.mark.skipif(connection.vendor != "sqlite", reason="others have no file of their own")
def test_the_disk_gets_its_space_back():
    def pages() -> int:
        with connection.cursor() as cursor:
            return int(cursor.execute("PRAGMA page_count").fetchone()[0])

    make_file(b"stays")
    sweep()
    before = pages()
    file = make_file(noise(50 << 20))
    assert pages() >= before + (50 << 20) // 32768
    purge_file(actor=SYSTEM, file_id=file.pk)
    age(hours=2)
    assert sweep().pages > 1500
    assert pages() < before + 20
    assert Path(f"{connection.settings_dict['NAME']}-wal").stat().st_size == 0


def is_mariadb() -> bool:
    return bool(getattr(connection, "mysql_is_mariadb", False))


def chunk_bytes() -> int:
    """Return how much room the server's files have for chunks, used or not."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('chunk')")
        else:
            name = f"{connection.settings_dict['NAME']}/chunk"
            table = "innodb_sys_tablespaces" if is_mariadb() else "innodb_tablespaces"
            cursor.execute(
                f"SELECT file_size FROM information_schema.{table} WHERE name = %s",  # noqa: S608
                [name],
            )
        return int(cursor.fetchone()[0])


@pytest.mark.skipif(connection.vendor == "sqlite", reason="see the test of its file")
def test_what_comes_next_gets_the_space_of_what_went():
    largest = []
    for seed in range(4):
        purge_file(actor=SYSTEM, file_id=make_file(noise(100 << 20, seed=seed)).pk)
        largest.append(chunk_bytes())
        age(hours=2)
        assert sweep().bytes == 100 << 20
    # Where it is only freed in the background, some of the next comes too early for it.
    assert max(largest) < 2 * largest[0], largest


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others need no VACUUM")
def test_the_disk_gets_space_at_the_end_of_postgresqls_files_back():
    small, large = make_file(noise(1 << 20)), make_file(noise(100 << 20))
    purge_file(actor=SYSTEM, file_id=large.pk)
    age(hours=2)
    before = chunk_bytes()
    assert sweep().pages * 8192 > 90 << 20
    assert chunk_bytes() < before - (90 << 20)
    assert b"".join(read(File.objects.get(pk=small.pk), 0, small.size)) == noise(1 << 20)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others need no VACUUM")
def test_little_is_left_to_postgresql_itself():
    with CaptureQueriesContext(connection) as queries:
        purge_file(actor=SYSTEM, file_id=make_file(noise(5 << 20)).pk)
        age(hours=2)
        assert (sweep().contents, sweep().pages) == (1, 0)
    assert not any("VACUUM" in query["sql"] for query in queries)


def test_the_command_tells_what_it_did(capsys):
    purge_file(actor=SYSTEM, file_id=make_file(noise(2 << 20)).pk)
    age(hours=2)
    call_command("sweep", "--dry-run")
    assert "1 contents with 2,097,152 bytes would be removed" in capsys.readouterr().out
    call_command("sweep", "--json")
    assert json.loads(capsys.readouterr().out)["contents"] == 1
