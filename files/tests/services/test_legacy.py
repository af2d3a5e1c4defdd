from __future__ import annotations

from datetime import UTC, datetime

import pytest

from files.services.legacy import date_of


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-05-06 07:08:09", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09.5", datetime(2024, 5, 6, 7, 8, 9, 500_000, UTC)),
        ("2024-05-06 07:08:09+02", datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)),
        ("2024-05-06", datetime(2024, 5, 6, tzinfo=UTC)),
        ("0001-01-01 00:00:00+01", None),
        ("0000-00-00 00:00:00", None),
        ("2024-13-06 07:08:09", None),
        ("infinity", None),
        ("1700000000", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_in_utc_or_none(text, date):
    assert date_of(text) == date
