"""A library goes the round of all databases, its copies killed in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from files.models import Chunk, Content, File
from files.services.copying import mark
from files.services.copying.databases import opened
from files.tests import live_databases
from files.tests.copied_libraries import MIB, look_at, look_into, make_library, run_copy
from files.tests.factories import make_file
from files.tests.running_server import MANAGE, environment_of, wait_until
from files.tests.samples import noise

pytestmark = [pytest.mark.django_db, pytest.mark.live]

LONG = 24 * MIB
VARIABLES = {"mysql": "FILESERVER_TEST_MYSQL_URL", "postgres": "FILESERVER_TEST_POSTGRES_URL"}
KILLS = 2  # of each copy
MOST_ROWS = 8  # that a copy writes before it is killed; a library has some 90
END_S = 300.0


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Make an empty database of the kind and return its address; skip where there is no server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / f'{uuid.uuid4().hex}.sqlite3'}"
        return
    if not os.environ.get(VARIABLES[kind]):
        pytest.skip(f"{VARIABLES[kind]} names no server")
    server, _, _ = os.environ[VARIABLES[kind]].rpartition("/")
    url = f"{server}/copy_{uuid.uuid4().hex}"
    live_databases.make(url)
    try:
        yield url
    finally:
        live_databases.drop(url)


def begin(folder: Path, source: str, target: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MANAGE, "copy_library", f"--from={source}"],
        env=environment_of(folder, TARGET_DATABASE_URL=target),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def written_rows(target: str) -> int:
    """Return how many rows of files and chunks the target has, 0 before it has tables."""
    path = Path(target.removeprefix("sqlite:///"))
    if live_databases.kind_of(target) == live_databases.SQLITE and not (
        path.exists() and path.stat().st_size
    ):
        return 0  # Who looks would make the file.
    count = "SELECT (SELECT COUNT(*) FROM file) + (SELECT COUNT(*) FROM chunk)"
    try:
        return int(live_databases.query(target, count)[0][0])
    except Exception:  # noqa: BLE001  # of whichever driver: there are no tables
        return 0


def kill_after(rows: int, folder: Path, source: str, target: str) -> None:
    """Run the command and kill it when it has written so many rows."""
    wanted = written_rows(target) + rows
    with begin(folder, source, target) as process:
        wait_until(
            lambda: written_rows(target) >= wanted or process.poll() is not None,
            END_S,
        )
        process.kill()
        said = process.communicate()[0]
    assert process.returncode == -signal.SIGKILL, said
    assert live_databases.query(target, f"SELECT state FROM {mark.MARK}") == [(mark.COPYING,)]  # noqa: S608


def copy_with_kills(folder: Path, source: str, target: str, chance: random.Random) -> str:
    """Run the command until it ends by itself, and KILLS times not; return what it says."""
    for _ in range(KILLS):
        kill_after(chance.randint(1, MOST_ROWS), folder, source, target)
    process = begin(folder, source, target)
    said = process.communicate(timeout=END_S)[0]
    assert process.returncode == 0, said
    return said


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a library in a SQLite file, made once and only read."""
    path = tmp_path_factory.getbasetemp() / "library.sqlite3"
    url = f"sqlite:///{path}"
    if not path.exists():
        make_library()
        make_file(noise(LONG, 7), name="long.bin")
        make_file(noise(LONG, 8), name="longer.bin")
        assert run_copy(url)[0] == 0
        assert look_into(url) == look_at()
    return url


@pytest.mark.own_servers
def test_all_is_equal_after_the_round(library, tmp_path):
    chance = random.Random(20)
    with (
        database("mysql", tmp_path) as mysql,
        database("postgres", tmp_path) as postgres,
        database("sqlite", tmp_path) as sqlite,
    ):
        way = (library, mysql, postgres, sqlite)
        first = look_into(library)
        for source, target in zip(way, way[1:], strict=False):
            said = copy_with_kills(tmp_path, source, target, chance)
            assert f"The copy is complete: {len(first['file'])} files" in said
            assert look_into(target) == first


@pytest.mark.own_servers
@pytest.mark.parametrize("kind", ["sqlite", "mysql", "postgres"])
def test_next_upload_gets_a_fresh_id(library, tmp_path, kind):
    with database(kind, tmp_path) as target:
        assert run_copy(target, f"--from={library}")[0] == 0
        with opened(target, "looked_at"):
            files = File.everything.using("looked_at")
            newest = files.latest("pk")
            again = files.get(pk=newest.pk)
            again.pk, again.hash = None, "0" * 64
            again.content = Content.objects.using("looked_at").create(size=1)
            again.save(using="looked_at", force_insert=True)
            assert (again.pk or 0) > newest.pk
            assert again.content.pk > (newest.content_id or 0)
            Chunk.objects.using("looked_at").create(
                content=again.content, offset=0, size=1, checksum=0, data=b"x"
            )


@pytest.mark.parametrize("kind", ["sqlite", "mysql", "postgres"])
def test_used_copies_are_refused_and_differences_copied(tmp_path, kind):
    make_library()
    with database(kind, tmp_path) as target:
        assert run_copy(target)[0] == 0
        make_file(noise(3 * MIB, 9), name="new.bin")
        File.everything.filter(name="1048577.bin").delete()
        status, report, said = run_copy(target)
        assert (status, said, report["copied_files"]) == (0, "", 1)
        assert look_into(target) == look_at()
        with opened(target, "looked_at"):
            File.everything.using("looked_at").filter(name="new.bin").delete()
        status, _, said = run_copy(target)
        assert (status, "was used since" in said) == (2, True)


@pytest.mark.own_servers
@pytest.mark.parametrize(
    ("number", "status", "told"),
    [(signal.SIGINT, 130, "Interrupted. Run it again"), (signal.SIGTERM, -signal.SIGTERM, "")],
)
def test_signals_end_it_and_it_goes_on(library, tmp_path, number, status, told):
    target = tmp_path / "target.sqlite3"
    process = begin(tmp_path, library, f"sqlite:///{target}")
    wait_until(target.exists, END_S)
    process.send_signal(number)
    said = process.communicate(timeout=END_S)[0]
    assert (process.returncode, told in said) == (status, True), said

    assert run_copy(f"sqlite:///{target}", f"--from={library}")[0] == 0

    assert look_into(f"sqlite:///{target}") == look_into(library)


@pytest.mark.own_servers
@pytest.mark.parametrize("kind", ["sqlite", "mysql", "postgres"])
def test_tables_that_were_made_but_not_noted_are_made_again(library, tmp_path, kind):
    """Django notes a migration with deferred statements only after its transaction."""
    with database(kind, tmp_path) as target:
        with opened(library, "copy_source") as source, opened(target, "copy_target") as half:
            mark.prepare_target(source, half)
            with half.cursor() as cursor:
                cursor.execute(f"UPDATE {mark.MARK} SET state = %s", [mark.MAKING])  # noqa: S608
                cursor.execute("DELETE FROM django_migrations WHERE app = 'files'")

        assert run_copy(target, f"--from={library}")[0] == 0

        assert look_into(target) == look_into(library)
