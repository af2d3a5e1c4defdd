from __future__ import annotations

import random

import pytest

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import File, SuffixTotal
from files.services import totals
from files.services.deletion import delete_file
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def kept() -> dict[str, tuple[int, int]]:
    groups = SuffixTotal.objects.by_suffix(DEFAULT_SPACE_ID)
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
    assert SuffixTotal.objects.count() < 3 + 2 * 7


def test_totals_are_one_query(django_assert_num_queries):
    make_file(b"one", name="a.txt")
    with django_assert_num_queries(1):
        kept()
