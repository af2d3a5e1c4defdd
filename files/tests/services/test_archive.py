from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from files.actors import SYSTEM
from files.exceptions import CorruptContentError, InvalidFilterError, StorageFullError
from files.models import MAX_CHUNK_SIZE, Chunk, Content, File
from files.processing.maintenance import sweep
from files.services import archive as module
from files.services import archive_plan
from files.services.archive import Archive, archive_of, in_blocks
from files.services.deletion import delete_file
from files.tests.factories import make_file
from files.tests.samples import noise
from files.tests.sparse_file import SparseFile, crc32_of_zeros

pytestmark = pytest.mark.django_db

SIZES = [0, 1, 2048, 2049, 100_000, MAX_CHUNK_SIZE, MAX_CHUNK_SIZE + 1, (5 << 20) + 5]
Planned = Callable[[], Archive]


@pytest.fixture
def planned() -> Iterator[Planned]:
    """Return a function that plans an archive of all files."""
    archives = []

    def plan() -> Archive:
        archives.append(archive_of(File.objects.all()))
        archives[-1].plan()
        return archives[-1]

    yield plan
    for archive in archives:
        archive.close()


def read(archive: Archive) -> dict[str, bytes]:
    """Return the files of the archive, which is read to its end and checked."""
    data = b"".join(archive)
    assert len(data) == archive.length
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert len(opened.namelist()) == archive.count
        return {name: opened.read(name) for name in opened.namelist()}


def purge_all() -> None:
    for file in File.objects.all():
        delete_file(actor=SYSTEM, file_id=file.pk)
    assert not File.everything.exists()


def test_every_file_is_in_it(planned):
    files = {f"folder {size % 3}/{size}.bin": noise(size) for size in SIZES}
    for path, data in files.items():
        folder, _, name = path.rpartition("/")
        make_file(data, folder=folder, name=name)
    assert read(planned()) == files


def test_only_what_is_asked_for(planned):
    make_file(name="a.pdf")
    make_file(name="b.txt")
    archive = archive_of(File.objects.visible_to(SYSTEM).filter(suffix="pdf"))
    archive.plan()
    assert list(read(archive)) == ["a.pdf"]
    archive.close()


def test_names_are_made_safe_and_numbered(planned):
    for name, folder in [("report.pdf", ""), ("report.pdf", ""), ("CON", "a"), ("a", "")]:
        make_file(name=name, folder=folder)
    assert sorted(read(planned())) == ["a (2)", "a/_CON", "report (2).pdf", "report.pdf"]


def test_times_are_those_of_the_upload(planned):
    file = make_file()
    File.objects.update(upload_date=datetime(2001, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC))
    info = zipfile.ZipFile(io.BytesIO(b"".join(planned()))).getinfo(file.name)
    assert info.date_time == (2001, 2, 3, 4, 5, 6)


def test_nothing_is_an_archive_too(planned):
    assert read(planned()) == {}


def test_more_files_than_a_page(planned, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(module, "PAGE", 10)
    monkeypatch.setattr(module, "BATCH", 7)
    # The same moment for all, so that pages end among equals.
    for number in range(25):
        make_file(noise(3000, number), name=f"{number:02}")
    File.objects.update(upload_date=timezone.now())
    files = read(planned())
    assert files == {f"{number:02}": noise(3000, number) for number in range(25)}
    with django_assert_num_queries(4):
        # For the first page, for the second, and for the last: equal moment, later moment.
        planned()


def test_blocks_have_one_size(planned):
    for number in range(300):
        make_file(noise(1000, number))
    make_file(noise((3 << 20) + 5))
    sizes = [len(block) for block in planned()]
    assert set(sizes[:-1]) == {128 << 10}
    assert sizes[-1] <= 128 << 10


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_blocks_are_cut_from_pieces_of_any_size(size):
    for seed in range(30):
        data = noise(200, seed)
        places = sorted({0, 200, *(byte for byte in noise(seed, seed) if byte < 200)})
        pieces = [data[a:b] for a, b in zip(places, places[1:], strict=False)] + [b""]
        blocks = list(in_blocks(pieces, size))
        assert b"".join(blocks) == data
        assert {len(block) for block in blocks[:-1]} <= {size}
        assert 0 < len(blocks[-1]) <= size


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # `sweep` commits
@pytest.mark.parametrize("days", [0, 30])
def test_what_is_deleted_after_the_planning_is_in_it(planned, settings, days):
    settings.FILESERVER_TRASH_DAYS = days
    files = {f"{size}.bin": noise(size) for size in SIZES}
    for name, data in files.items():
        make_file(data, name=name)
    archive = planned()
    for file in File.objects.all():
        delete_file(actor=SYSTEM, file_id=file.pk)
    sweep()
    assert not File.objects.exists()
    assert read(archive) == files


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # `sweep` commits
def test_the_lease_is_renewed_for_what_is_still_to_be_sent(planned, settings):
    settings.FILESERVER_TRASH_DAYS = 0
    for number in range(5):
        make_file(noise(1 << 20, number))
    archive = planned()
    kept = make_file(noise(1 << 20, 99))
    for file in File.objects.exclude(pk=kept.pk):
        delete_file(actor=SYSTEM, file_id=file.pk)
    blocks = iter(archive)
    for _ in range(2 * 8 + 1):  # into the third file
        next(blocks)
    released = Content.objects.filter(state=Content.State.RELEASED)
    released.update(keep_until=timezone.now())
    archive._keep_at = 0.0
    next(blocks)
    renewed = released.filter(keep_until__gt=timezone.now() + timedelta(minutes=50))
    assert (
        list(renewed.order_by("pk").values_list("pk", flat=True))
        == list(released.order_by("pk").values_list("pk", flat=True))[2:]
    )
    assert not Content.objects.filter(files=kept).exclude(keep_until=None).exists()
    assert sweep().contents == 2
    list(blocks)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # `sweep` commits
def test_what_is_gone_breaks_it(planned, settings, caplog):
    settings.FILESERVER_TRASH_DAYS = 0
    make_file(b"small")
    file = make_file(noise(100_000))
    archive = planned()
    purge_all()
    Content.objects.update(keep_until=timezone.now())
    sweep()
    with pytest.raises(CorruptContentError, match=f"file {file.pk}"):
        list(archive)
    assert f"file {file.pk}" in caplog.text


@pytest.mark.parametrize("size", [3000, MAX_CHUNK_SIZE, (5 << 20) + 5])
@pytest.mark.parametrize("damage", ["bit", "hole", "other bytes", "checksum"])
def test_damage_breaks_it(planned, caplog, size, damage):
    make_file(noise(500_000, 1))
    file = make_file(noise(size))
    make_file(noise(500_000, 2))
    chunk = Chunk.objects.filter(content=file.content).order_by("-offset").first()
    row = Chunk.objects.filter(pk=chunk.pk)
    if damage == "hole":
        row.delete()
    elif damage == "checksum":
        row.update(checksum=chunk.checksum ^ 1)
    else:
        data = bytearray(chunk.data)
        data[-1] ^= 1
        row.update(data=bytes(data) + (b"more" if damage == "other bytes" else b""))
    archive = planned()
    received = b""
    with pytest.raises(CorruptContentError):
        for block in archive:
            received += block
    assert len(received) < archive.length
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(received))
    assert f"broke off at file {file.pk}" in caplog.text


def test_bytes_that_do_not_match_what_was_announced_break_it(planned, monkeypatch):
    file = make_file(noise(3 << 20))
    archive = planned()
    monkeypatch.setattr("files.storage.crc32", lambda file: 4711)
    with pytest.raises(CorruptContentError, match=f"file {file.pk}"):
        list(archive)


@pytest.mark.parametrize("columns", [{"data": b"other"}, {"size": 7}])
def test_damage_in_a_small_file_is_found_before_anything_is_sent(columns):
    file = make_file(b"small")
    File.objects.update(**columns)
    archive = archive_of(File.objects.all())
    with pytest.raises(CorruptContentError, match=f"file {file.pk}"):
        archive.plan()
    archive.close()


def test_another_length_than_the_contents_breaks_it(planned):
    file = make_file(noise(100_000))
    File.objects.update(size=99_999)
    archive = planned()
    with pytest.raises(CorruptContentError, match=f"file {file.pk}"):
        list(archive)


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_MEMBERS", 2)
    for _ in range(3):
        make_file()
    archive = archive_of(File.objects.all())
    with pytest.raises(InvalidFilterError, match="2 files at most"):
        archive.plan()
    archive.close()


def test_no_room_for_the_plan_is_refused(monkeypatch):
    make_file()
    monkeypatch.setattr(module, "SPARE_DISK_BYTES", 1 << 60)
    archive = archive_of(File.objects.all())
    with pytest.raises(StorageFullError):
        archive.plan()
    archive.close()


def test_a_file_above_four_gib(planned, monkeypatch):
    """Its bytes are made by a reader, and its zeros are not kept."""
    size, zeros = (4 << 30) + 5, bytes(1 << 20)
    make_file(b"before", name="before")
    content = Content.objects.create(size=size, state=Content.State.STORED)
    large = make_file(noise(5000), name="large")
    File.objects.filter(pk=large.pk).update(size=size, content=content)
    make_file(b"after", name="after")

    def read(file, start, stop):
        for _ in range(start, stop, len(zeros)):
            yield zeros[: stop - start]
            start += len(zeros)

    monkeypatch.setattr(
        "files.storage.read",
        lambda file, *range: read(file, *range) if file.size == size else iter([bytes(file.data)]),
    )
    monkeypatch.setattr("files.storage.crc32", lambda file: crc32_of_zeros(file.size))
    received = SparseFile()
    archive = planned()
    for block in archive:
        if block == zeros[: 128 << 10]:
            received.append_zeros(len(block))
        else:
            received.append(block)
    assert received.size == archive.length
    with zipfile.ZipFile(received) as opened:
        assert {info.filename: info.file_size for info in opened.infolist()} == {
            "before": 6,
            "large": size,
            "after": 5,
        }
        assert opened.read("after") == b"after"


def test_memory_does_not_grow_with_the_files(planned):
    for number in range(2):
        make_file(noise(12 << 20, number))
    archive = planned()
    tracemalloc.start()
    for block in archive:
        assert block
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 << 20


def test_plans_leave_memory(planned, monkeypatch):
    monkeypatch.setattr(archive_plan, "IN_MEMORY", 10_000)
    for number in range(20):
        make_file(noise(1000, number))
    archive = planned()
    assert archive._plan._file._rolled
    assert len(read(archive)) == 20
