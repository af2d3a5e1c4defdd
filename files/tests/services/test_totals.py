from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import DuplicateFileError
from files.models import File, Total
from files.services import totals
from files.services.deletion import delete_file
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def kept() -> dict[str, tuple[int, int]]:
    groups = Total.objects.in_space(DEFAULT_SPACE_ID).by_suffix()
    return {group["suffix"]: (group["count"], group["bytes"]) for group in groups}


def counted() -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for suffix, size in File.objects.values_list("suffix", "size"):
        count, total = found.get(suffix, (0, 0))
        found[suffix] = (count + 1, total + size)
    return found


def test_totals_follow_uploads_and_deletes():
    make_file(b"one", name="a.txt")
    gone = make_file(b"three", name="b.txt")
    make_file(b"x", name="c")
    delete_file(actor=SYSTEM, file_id=gone.pk)
    assert kept() == {"": (1, 1), "txt": (1, 3)}


def test_a_group_without_files_is_not_listed():
    file = make_file(b"one", name="a.txt")
    delete_file(actor=SYSTEM, file_id=file.pk)
    assert kept() == {}


def test_folding_changes_no_sum(django_capture_on_commit_callbacks, monkeypatch):
    monkeypatch.setattr(totals, "FOLD_EVERY", 7)
    chance = random.Random(1)
    for number in range(60):
        with django_capture_on_commit_callbacks(execute=True):
            make_file(b"%d" % number, name=f"{number}.{chance.choice(['a', 'b', 'c'])}")
        if number % 3 == 0:
            with django_capture_on_commit_callbacks(execute=True):
                delete_file(actor=SYSTEM, file_id=File.objects.order_by("?")[0].pk)
    assert kept() == counted()
    (home,) = Total.objects.by_home()
    assert home == {"home": "database", "count": 60, "bytes": 60 + 50}
    (day,) = Total.objects.by_day(timezone.now().date())
    assert day["count"] == File.objects.count()
    # Rows of three groups, a day and a home, and what came since the last fold.
    assert Total.objects.count() < 5 + 7 + 2


def test_each_day_of_the_past_has_one_row(django_capture_on_commit_callbacks, monkeypatch):
    monkeypatch.setattr(totals, "FOLD_EVERY", 7)
    days = [date(2020, 1, 1) + timedelta(days=number % 20) for number in range(200)]
    for day in days:
        with django_capture_on_commit_callbacks(execute=True):
            totals.add(space_id=DEFAULT_SPACE_ID, suffix="a", day=day, count=1, size=10)
    assert [row["count"] for row in Total.objects.by_day(days[0])] == [10] * 20
    assert Total.objects.count() < 20 + 1 + 2 * 7


def test_a_refused_duplicate_is_counted():
    make_file(b"one")
    for _ in range(3):
        with pytest.raises(DuplicateFileError):
            make_file(b"one")
    assert Total.objects.duplicates() == 3
    (day,) = Total.objects.by_day(timezone.now().date())
    assert (day["count"], day["duplicates"]) == (1, 3)


def test_totals_are_one_query(django_assert_num_queries):
    make_file(b"one", name="a.txt")
    with django_assert_num_queries(1):
        kept()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("skips", [True, False])
def test_folds_at_once_count_nothing_twice(monkeypatch, skips):
    if not skips:  # As MariaDB before 10.6, which has no SKIP LOCKED.
        features = type(connection.features)
        monkeypatch.setattr(features, "has_select_for_update_skip_locked", False)
    for number in range(40):
        make_file(name=f"{number}.{'abc'[number % 3]}")
    before = kept()
    at_once = threading.Barrier(4)

    def fold() -> None:
        try:
            at_once.wait(10)
            totals.fold(DEFAULT_SPACE_ID)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as executor:
        for done in [executor.submit(fold) for _ in range(4)]:
            done.result()
    assert kept() == before == counted()
