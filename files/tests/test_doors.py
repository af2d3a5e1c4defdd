"""Whatever door a file comes through: the same checks, the same row, the same event and totals."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import INLINE_SIZE, Chunk, Content, Event, File, Label, Total, Upload
from files.processing import maintenance
from files.services.deletion import delete_file
from files.storage import read, verify
from files.tests.doors import DOORS, Door, Result, Sent
from files.tests.factories import make_file
from files.tests.samples import noise, png
from files.tests.tus_doors import TUS_DOORS

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# Bytes: none, in the row up to its limit, a chunk and one more, more than a batch of them.
SIZES = [0, 1, INLINE_SIZE - 1, INLINE_SIZE, INLINE_SIZE + 1, (1 << 20) + 1, (9 << 20) + 3]
COMMITTED = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def each_door(*needed: str) -> pytest.MarkDecorator:
    """Run a test with each door that can express all that is `needed`."""
    able = [door for door in (*DOORS, *TUS_DOORS) if not set(needed) & set(door.cannot)]
    return pytest.mark.parametrize(
        "door",
        [pytest.param(door, id=door.name, marks=[COMMITTED] * door.has_threads) for door in able],
    )


@pytest.fixture(autouse=True)
def unshrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the database's file alone in a sweep: it cannot shrink within a transaction."""
    monkeypatch.setattr(maintenance, "_shrink", lambda removed: 0)


@pytest.fixture
def who(door: Door) -> User | None:
    """Return whom the door takes files from by itself: nobody in particular, or an operator."""
    return make_user("operator", is_superuser=True) if door.is_for_operators else None


def make_user(name: str, *, is_superuser: bool = False) -> User:
    return User.objects.create_user(name, is_staff=is_superuser, is_superuser=is_superuser)


def stored(result: Result) -> File:
    """Return the file that came in, which is as it should be."""
    assert result.code == ""
    assert result.file_id is not None
    file = File.objects.select_related("content").get(pk=result.file_id)
    verify(file)
    assert (file.data is not None) is (file.size <= INLINE_SIZE)
    return file


def refused(result: Result, code: str, existing: File | None = None) -> None:
    """Assert that nothing came in, for this reason."""
    assert result == Result(code=code, existing_id=existing.pk if existing else None)


def kept_totals() -> dict[Any, tuple[int, int]]:
    """Return (files, bytes) of each group, day and home as the table of totals says."""
    totals = Total.objects.in_space(DEFAULT_SPACE_ID)
    rows = [*totals.by_suffix(), *totals.by_home(), *totals.by_day(LONG_AGO.date())]
    named = ("suffix", "home", "day")
    return {
        next((name, row[name]) for name in named if name in row): (row["count"], row["bytes"])
        for row in rows
        if row["count"] or row["bytes"]
    }


def counted_totals() -> dict[Any, tuple[int, int]]:
    """Return the same, counted."""
    counts, sizes = Counter[Any](), Counter[Any]()
    for file in File.everything.select_related("content"):
        groups: list[tuple[str, object]] = [("home", file.home)]
        if file.deleted_at is None:
            groups += [("suffix", file.suffix), ("day", file.upload_date.date())]
        counts.update(groups)
        sizes.update(dict.fromkeys(groups, file.size))
    return {group: (counts[group], sizes[group]) for group in counts}


def assert_nothing_is_left() -> None:
    """Assert that totals are exact, and that a sweep of later leaves the files' bytes only."""
    assert kept_totals() == counted_totals()
    Upload.objects.update(expires_at=LONG_AGO)
    Content.objects.exclude(keep_until=None).update(keep_until=LONG_AGO)
    maintenance.sweep()
    Content.objects.exclude(keep_until=None).update(keep_until=LONG_AGO)
    maintenance.sweep()
    assert not Upload.objects.exists()
    owned = set(File.everything.exclude(content=None).values_list("content", flat=True))
    assert set(Content.objects.values_list("pk", flat=True)) == owned
    assert set(Chunk.objects.values_list("content", flat=True)) == owned


def uploads_told() -> list[dict[str, Any]]:
    """Return the events of files, without their times."""
    columns = ("name", "actor", "user_id", "space_id", "object_type", "object_id", "details")
    return list(Event.objects.filter(object_type="file").order_by("pk").values(*columns))


@each_door()
@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_in_whole_and_is_recorded_exactly(door, who, size):
    data = noise(size, seed=size)
    before = timezone.now()
    file = stored(door.send(who, Sent("Größe.TAR", data)))
    assert b"".join(read(file, 0, size)) == data
    hash = hashlib.sha256(data).hexdigest()
    told = (file.name, file.suffix, file.folder, file.size, file.hash, file.version)
    assert told == ("Größe.TAR", "tar", "", size, hash, 1)
    assert (file.space_id, file.owner, file.deleted_at) == (DEFAULT_SPACE_ID, who, None)
    assert before <= file.upload_date <= timezone.now()
    assert uploads_told() == [
        {
            "name": "file.uploaded",
            "actor": who.get_username() if who else door.nobody,
            "user_id": who.pk if who else None,
            "space_id": DEFAULT_SPACE_ID,
            "object_type": "file",
            "object_id": file.pk,
            "details": {"name": "Größe.TAR", "size": size, "hash": hash},
        }
    ]
    assert_nothing_is_left()


@each_door()
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("e\u0301 合同 חוזה 😀.pdf", "é 合同 חוזה 😀.pdf"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("tab\there\r\n.txt", "tabhere.txt"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("  a%20b%22c.txt ", None),
        ("a" * 255, "a" * 255),
    ],
)
def test_names_are_cleaned_alike(door, who, sent, kept):
    if kept is None:
        # The one difference that browsers make: their forms escape quotes in this way.
        kept = 'a%20b"c.txt' if door.is_form else "a%20b%22c.txt"
    assert stored(door.send(who, Sent(sent, b"x"))).name == kept


@each_door("slash")
def test_a_name_never_becomes_a_path(door, who):
    file = stored(door.send(who, Sent("../../etc/passwd", b"x")))
    assert (file.name, file.folder) == ("passwd", "")
    for name in ("..", "folder/"):
        refused(door.send(who, Sent(name, noise(5000))), "invalid_name")
    assert_nothing_is_left()


@each_door()
@pytest.mark.parametrize("name", ["\u202e", " ", "\n", "a\\"])
def test_names_of_nothing_are_refused(door, who, name):
    refused(door.send(who, Sent(name, noise(5000))), "invalid_name")
    assert_nothing_is_left()


@each_door("empty name")
def test_an_empty_name_is_refused(door, who):
    refused(door.send(who, Sent("", noise(5000))), "invalid_name")
    assert_nothing_is_left()


@each_door("long name")
def test_a_name_may_have_255_characters_of_any_script(door, who):
    assert stored(door.send(who, Sent("合" * 255, b"x"))).name == "合" * 255
    refused(door.send(who, Sent("a" * 256, b"y")), "invalid_name")
    assert_nothing_is_left()


@each_door()
def test_the_type_is_read_from_the_bytes(door, who):
    assert stored(door.send(who, Sent("a.txt", png()))).mime_type == "image/png"


# In the row, in chunks, and beyond a batch of them.
@each_door()
@pytest.mark.parametrize("limit", [100, 5000, (8 << 20) + 5])
def test_the_limit_is_the_same(door, who, settings, limit):
    settings.FILESERVER_MAX_UPLOAD_SIZE = limit
    refused(door.send(who, Sent("a.bin", noise(limit + 1))), "too_large")
    assert not File.everything.exists()
    stored(door.send(who, Sent("a.bin", noise(limit))))
    assert_nothing_is_left()


@each_door()
@pytest.mark.parametrize("size", [1000, 300_000, (9 << 20) + 1])
def test_what_the_disk_has_no_room_for_is_refused(door, who, monkeypatch, size):
    def room() -> int:
        kept = Chunk.objects.aggregate(bytes=Sum("size"))["bytes"]
        left: int = size - 1 - (kept or 0)
        return max(left, 0)

    with monkeypatch.context() as patch:
        patch.setattr("files.storage.database.room", room)
        refused(door.send(who, Sent("a.bin", noise(size))), "storage_full")
    assert not File.everything.exists()
    assert_nothing_is_left()
    stored(door.send(who, Sent("a.bin", noise(size))))
    assert_nothing_is_left()


@each_door()
@pytest.mark.parametrize("size", [0, 1000, 300_000, (9 << 20) + 1])
def test_a_duplicate_names_the_file_that_is_there(door, who, size):
    first = make_file(noise(size), name="first.bin")
    refused(door.send(who, Sent("second.bin", noise(size))), "duplicate", first)
    assert File.everything.get() == first
    assert len(uploads_told()) == 1
    counted = "counted duplicate" not in door.cannot
    assert Total.objects.in_space(DEFAULT_SPACE_ID).duplicates() == counted
    assert_nothing_is_left()


@each_door()
@pytest.mark.parametrize("size", [0, 1000, 300_000, (9 << 20) + 1])
def test_bytes_in_the_trash_come_back_with_what_people_made_of_them(door, who, size):
    trashed = make_file(noise(size), name="old.bin")
    trashed.labels.add(Label.objects.create(space_id=DEFAULT_SPACE_ID, name="red"))
    delete_file(actor=SYSTEM, file_id=trashed.pk)
    file = stored(door.send(who, Sent("new.txt", noise(size))))
    assert (file.pk, file.name, file.version) == (trashed.pk, "new.txt", 3)
    assert [label.name for label in file.labels.all()] == ["red"]
    last = uploads_told()[-1]
    assert (last["name"], last["object_id"]) == ("file.uploaded", trashed.pk)
    assert last["details"] == {
        "name": "new.txt",
        "size": size,
        "hash": trashed.hash,
        "restored": True,
    }
    assert_nothing_is_left()


@each_door("digest")
@pytest.mark.parametrize("size", [0, 1000, (9 << 20) + 1])
def test_an_announced_digest_is_held_to(door, who, size):
    data = noise(size)
    wrong, right = hashlib.sha256(b"other").digest(), hashlib.sha256(data).digest()
    refused(door.send(who, Sent("a.bin", data, wrong)), "digest_mismatch")
    assert not File.everything.exists()
    assert_nothing_is_left()
    file = stored(door.send(who, Sent("a.bin", data, right)))
    # Known by the digest, though these bytes are others.
    refused(door.send(who, Sent("b.bin", b"not even read", right)), "duplicate", file)
    assert_nothing_is_left()


@each_door()
@pytest.mark.parametrize("access", ["open", "read", "private"])
def test_a_file_belongs_to_who_sent_it(door, settings, access):
    settings.FILESERVER_ACCESS = access
    ann = make_user("ann", is_superuser=door.is_for_operators)
    file = stored(door.send(ann, Sent("a.bin", noise(5000))))
    assert file.owner == ann
    (event,) = uploads_told()
    assert (event["actor"], event["user_id"]) == ("ann", ann.pk)
    refused(door.send(ann, Sent("b.bin", noise(5000))), "duplicate", file)


@each_door("rights")
@pytest.mark.parametrize("access", ["read", "private"])
def test_strangers_may_not(door, settings, access):
    settings.FILESERVER_ACCESS = access
    existing = make_file(noise(5000))
    digest = None if "digest" in door.cannot else hashlib.sha256(noise(5000)).digest()
    # Nor are they told whether it is there.
    for sent in (Sent("a.bin", noise(5000), digest), Sent("", b"other")):
        refused(door.send(None, sent), "authentication_required")
    assert File.everything.get() == existing
    assert not Upload.objects.exists()
    assert Total.objects.in_space(DEFAULT_SPACE_ID).duplicates() == 0
