from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from files.models import File
from files.processing import verification
from files.processing.verification import (
    Selection,
    verify_files,
)
from files.tests.factories import make_file

pytestmark = pytest.mark.django_db


def test_selection_by_id_and_date():
    files = [make_file() for _ in range(5)]
    File.objects.filter(pk=files[0].pk).update(upload_date=timezone.now() - timedelta(days=9))

    by_id = Selection(ids=frozenset({files[0].pk, files[3].pk}))
    by_date = Selection(since=timezone.now() - timedelta(days=1))

    assert [one.file_id for one in verify_files(by_id)] == [files[0].pk, files[3].pk]
    assert [one.file_id for one in verify_files(by_date)] == [file.pk for file in files[1:]]
    assert by_date.count() == (4, sum(file.size for file in files[1:]))


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"sample": 4}, 4), ({"sample": 99}, 10), ({"percent": 25}, 3), ({"percent": 100}, 10)],
)
def test_sample_has_the_size_that_was_asked_for(options, expected):
    for _ in range(10):
        make_file()

    found = [one.file_id for one in verify_files(Selection(**options))]

    assert len(set(found)) == len(found) == expected
    assert Selection(**options).count()[0] == expected


def test_every_file_has_the_same_chance_to_be_in_a_sample(monkeypatch):
    monkeypatch.setattr(verification, "PAGE", 3)
    for _ in range(10):
        make_file()
    rng = random.Random(1)

    drawn = Counter(pk for _ in range(400) for pk, _ in Selection(sample=3, rng=rng).rows())

    assert len(drawn) == 10
    assert min(drawn.values()) > 80
    assert max(drawn.values()) < 160
