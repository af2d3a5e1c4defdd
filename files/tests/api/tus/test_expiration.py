"""An upload that gets no bytes for long is given up, and says when."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest

from files.tests.api.tus.raw import TusClient
from files.tests.running_server import RunningServer

pytestmark = pytest.mark.live

WEEK = timedelta(days=7)
TOLERANCE = timedelta(minutes=2)


def expire(server: RunningServer, path: str) -> None:
    """Let the time of an upload be over."""
    long_ago = "2001-01-01 00:00:00"
    server.query('UPDATE "upload" SET "expires_at" = %s WHERE "id" = %s', long_ago, id_of(path))


def id_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def told(tus: TusClient, path: str) -> datetime:
    return parsedate_to_datetime(tus.head(path)["Upload-Expires"] or "")


def test_a_new_upload_tells_when_it_expires(tus):
    answer = tus.post({"Upload-Length": "9"})
    expires = parsedate_to_datetime(answer["Upload-Expires"] or "")
    assert abs(expires - datetime.now(UTC) - WEEK) < TOLERANCE


def test_the_moment_is_a_date_of_http(tus):
    text = tus.head(tus.create(9))["Upload-Expires"]
    assert text == format_datetime(parsedate_to_datetime(text), usegmt=True)
    assert text.endswith(" GMT")


def test_every_piece_puts_it_off(tus, tus_server):
    path = tus.create(9)
    soon = datetime.now(UTC) + timedelta(hours=1)
    tus_server.query(
        'UPDATE "upload" SET "expires_at" = %s WHERE "id" = %s',
        soon.strftime("%Y-%m-%d %H:%M:%S"),
        id_of(path),
    )
    assert abs(told(tus, path) - soon) < TOLERANCE
    answer = tus.patch(path, 0, b"bytes")
    expires = parsedate_to_datetime(answer["Upload-Expires"] or "")
    assert abs(expires - datetime.now(UTC) - WEEK) < TOLERANCE
    assert told(tus, path) == expires


def test_a_finished_upload_does_not_expire(tus):
    path = tus.create(9)
    assert tus.patch(path, 0, os.urandom(9))["Upload-Expires"] is None
    assert tus.head(path)["Upload-Expires"] is None


def test_a_complete_partial_upload_still_expires(tus):
    path = tus.create(9, Upload_Concat="partial")
    assert tus.patch(path, 0, os.urandom(9))["Upload-Expires"]
    assert tus.head(path)["Upload-Expires"]


def test_an_expired_upload_is_gone(tus, tus_server):
    path = tus.create(9)
    tus.patch(path, 0, b"bytes")
    expire(tus_server, path)
    answers = [tus.patch(path, 5, b"more"), tus.ask("GET", path), tus.ask("DELETE", path)]
    assert {(answer.status, answer.code) for answer in answers} == {(410, "upload_expired")}
    head = tus.head(path)
    assert (head.status, head["Upload-Offset"], head.body) == (410, None, b"")


def test_a_swept_upload_is_not_found(tus, tus_server):
    path = tus.create(9)
    tus.patch(path, 0, b"bytes")
    expire(tus_server, path)
    tus_server.manage("sweep")
    assert tus.head(path).status == 404
    assert tus.patch(path, 5, b"more").status == 404
