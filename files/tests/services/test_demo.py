from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.db.models import Count, Sum
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import FilesError, StorageFullError
from files.models import INLINE_SIZE, Chunk, Content, Event, File, Label, Total
from files.processing.verification import Selection, unowned_contents, verify_files
from files.services import demo
from files.services.deletion import delete_file
from files.services.demo import Forecast, Plan, Seeded, drafts, forecast, seed

pytestmark = pytest.mark.django_db

PLAN = Plan(files=300, seed=1, size="small", days=30)


def run(plan: Plan = PLAN, **options) -> Seeded:
    return seed(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, plan=plan, **options)


def test_what_is_listed_is_there():
    seeded = run()

    assert (seeded.added, seeded.skipped) == (300, 0)
    assert File.objects.count() == 300
    assert not [one for one in verify_files(Selection()) if one.problems]
    assert not list(unowned_contents())
    for file in File.everything.all():
        assert (file.content is None) == (file.size <= INLINE_SIZE)
    assert Content.objects.count() == File.objects.exclude(content=None).count() > 0
    assert seeded.bytes == File.objects.aggregate(all=Sum("size"))["all"]


def test_totals_are_right():
    run()
    totals = Total.objects.in_space(DEFAULT_SPACE_ID)
    counted = {"count": Count("pk"), "bytes": Sum("size")}

    groups = File.objects.order_by("suffix").values("suffix").annotate(**counted)
    assert list(totals.by_suffix()) == list(groups)
    days = Counter(date.date() for date in File.objects.values_list("upload_date", flat=True))
    assert {row["day"]: row["count"] for row in totals.by_day(PAST)} == days
    assert [row["count"] for row in totals.by_home()] == [300]


PAST = timezone.now().date() - timedelta(days=400)


def test_each_file_has_its_event():
    run()

    events = Event.objects.filter(name="file.uploaded", object_type="file")
    assert {(one.object_id, one.details["hash"], one.created_at) for one in events} == set(
        File.objects.values_list("pk", "hash", "upload_date")
    )
    assert events.count() == 300


def test_labels_are_put_on():
    run()

    labelled = File.objects.filter(labels__isnull=False).distinct()
    assert 10 < labelled.count() < 100
    by_hash = {draft.hash: draft.demo for draft in drafts(PLAN)}
    for file in labelled.prefetch_related("labels"):
        assert {label.name for label in file.labels.all()} == set(by_hash[file.hash].labels)
    assert Label.objects.filter(space_id=DEFAULT_SPACE_ID).count() == Label.objects.count() == 10


def test_dates_are_spread():
    run()

    dates = list(File.objects.order_by("pk").values_list("upload_date", flat=True))
    assert dates == sorted(dates)
    assert dates[0] < timezone.now() - timedelta(days=27)
    assert dates[-1] <= timezone.now()


def test_same_seed_adds_nothing_twice():
    run()
    trashed = File.objects.first()
    delete_file(actor=SYSTEM, file_id=trashed.pk)

    again = run()
    more = run(Plan(files=350, seed=1, size="small", days=30))

    assert again == Seeded(added=0, bytes=0, skipped=300)
    assert (more.added, more.skipped) == (50, 300)
    assert File.everything.count() == Event.objects.filter(name="file.uploaded").count() == 350
    assert not [one for one in verify_files(Selection()) if one.problems]


def test_other_seed_adds_more():
    run()

    assert run(Plan(files=300, seed=2, size="small", days=30)).added == 300
    assert Label.objects.count() == 10


def test_batches_are_bounded_by_files_and_bytes(monkeypatch):
    monkeypatch.setattr(demo, "BATCH_FILES", 100)
    steps: list[int] = []
    run(Plan(files=250, seed=1, size="small", days=30), on_progress=steps.append)
    assert steps == [100, 100, 50]

    monkeypatch.setattr(demo, "BATCH_BYTES", 1)
    run(Plan(files=3, seed=9, size="mixed", days=1), on_progress=steps.append)
    assert steps[3:] == [1, 1, 1]


def test_mixed_sizes_cut_long_files_into_chunks():
    run(Plan(files=60, seed=4, size="mixed", days=1))

    assert not [one for one in verify_files(Selection()) if one.problems]
    assert Chunk.objects.count() > Content.objects.count()


def test_no_room_ends_it_with_whole_batches(monkeypatch):
    monkeypatch.setattr(demo, "BATCH_FILES", 100)
    calls: list[int] = []

    def require_room(size: int) -> None:
        calls.append(size)
        if len(calls) > 2:
            raise StorageFullError("no room")

    monkeypatch.setattr(demo, "require_room", require_room)
    with pytest.raises(StorageFullError):
        run()

    assert File.objects.count() == 200
    assert not [one for one in verify_files(Selection()) if one.problems]


def test_files_that_another_added_meanwhile_are_left_out(monkeypatch):
    run(Plan(files=10, seed=1, size="small", days=1))
    known = demo._known
    answers = iter([set[str]()])
    monkeypatch.setattr(
        demo, "_known", lambda space_id, batch: next(answers, None) or known(space_id, batch)
    )
    monkeypatch.setattr(demo, "ATTEMPTS", 2)

    # The first answer is from before the other's commit.
    assert run(Plan(files=12, seed=1, size="small", days=1)).added == 2


def test_a_constraint_that_stays_broken_is_told(monkeypatch):
    run(Plan(files=10, seed=1, size="small", days=1))
    monkeypatch.setattr(demo, "_known", lambda space_id, batch: set())

    with pytest.raises(IntegrityError):
        run(Plan(files=12, seed=1, size="small", days=1))
    assert File.objects.count() == 10


def test_ids_are_asked_for_where_inserts_do_not_tell_them(monkeypatch):
    monkeypatch.setattr(type(connection.features), "can_return_rows_from_bulk_insert", False)
    run()

    assert Event.objects.filter(object_id=None).count() == 0
    hashes = dict(File.objects.values_list("pk", "hash"))
    for event in Event.objects.filter(name="file.uploaded"):
        assert hashes.get(event.object_id or 0) == event.details["hash"]


def test_strangers_may_not():
    with pytest.raises(FilesError):
        seed(actor=Actor(name="nobody"), space_id=DEFAULT_SPACE_ID, plan=PLAN)
    assert not File.objects.exists()


def test_forecast_tells_about_how_much_it_will_be():
    expected = forecast(space_id=DEFAULT_SPACE_ID, plan=PLAN)
    seeded = run()

    assert expected.bytes == seeded.bytes
    assert expected.present == 0
    assert isinstance(expected, Forecast)
    assert forecast(space_id=DEFAULT_SPACE_ID, plan=PLAN).present == 300


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's cache")
def test_cache_is_as_small_as_before_afterwards():
    def cache_size() -> int:
        with connection.cursor() as cursor:
            return int(cursor.execute("PRAGMA cache_size").fetchone()[0])

    before = cache_size()
    sizes: list[int] = []
    run(on_progress=lambda count: sizes.append(cache_size()))

    assert sizes == [-demo.CACHE_KIB]
    assert cache_size() == before


def test_hashes_are_of_the_bytes():
    for draft in drafts(Plan(files=20, seed=8, size="small", days=1)):
        assert draft.hash == hashlib.sha256(draft.demo.data).hexdigest()
