"""Large files in a real Chromium: sent in pieces, interrupted, gone on with, given up."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from files.models import File, Upload
from files.tests.browsing import (
    NARROW,
    UPLOADS,
    choose_paths,
    hold_piece,
    provoked,
    requests_of,
    upload_row,
)
from files.tests.factories import make_file
from files.tests.samples import noise
from files.views import upload as upload_view

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

MIB = 1 << 20
KEPT = "() => Object.keys(localStorage).filter((key) => key.startsWith('unfinished-upload::'))"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch) -> None:
    """Let pages think that a mebibyte is much."""
    monkeypatch.setattr(upload_view, "LARGE_FROM", MIB)
    monkeypatch.setattr(upload_view, "PIECE_SIZE", MIB)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a file of three pieces and a half."""
    path = tmp_path / "large.bin"
    path.write_bytes(noise(3 * MIB + MIB // 2))
    return path


def interrupt(page: Page, path: Path) -> Upload:
    """Reload the page when the first piece of the file is on the server."""
    hold_piece(page, MIB)
    choose_paths(page, path)
    expect(upload_row(page, path.name)).to_contain_text(re.compile(r"1\.0.MB of 3\.5.MB"))
    page.reload(wait_until="networkidle")
    page.unroute(UPLOADS)
    expect(page.locator(".upload-item")).to_have_count(0)
    return Upload.objects.get(offset=MIB)


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_large_file_goes_up_in_pieces_and_a_small_one_as_a_form(open_page, large, tmp_path):
    page = open_page()
    requests = requests_of(page)
    assert page.evaluate("() => window.tus === undefined")
    (tmp_path / "small.bin").write_bytes(noise(MIB - 1, seed=1))
    with page.expect_response("**/upload"):
        choose_paths(page, large, tmp_path / "small.bin")
    expect(page.locator('.upload-item[data-state="stored"]')).to_have_count(2)
    assert requests == [
        ("POST", ""),
        *(("PATCH", str(offset * MIB)) for offset in range(4)),
        ("GET", ""),
    ]
    file = File.objects.get(name="large.bin")
    assert (file.hash, file.size) == (hash_of(large), large.stat().st_size)
    expect(page.locator("#announcements")).to_contain_text("Stored.")
    expect(page.locator("#file-list-summary")).to_contain_text("2 files")
    assert page.evaluate(KEPT) == []
    upload_row(page, "large.bin").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("large.bin")


def test_duplicate_of_a_large_file_leads_to_the_one_that_is_there(open_page, large):
    existing = make_file(large.read_bytes(), name="first.bin")
    page = open_page("/add/")
    choose_paths(page, large)
    row = upload_row(page, "large.bin")
    expect(row).to_have_attribute("data-state", "duplicate")
    expect(row).to_contain_text("Not stored again: the same bytes are there as first.bin")
    assert page.evaluate(KEPT) == []
    row.get_by_role("link", name="first.bin").click()
    expect(page).to_have_url(re.compile(f"/view/{existing.pk}/$"))


def test_refusal_of_a_large_file_is_said_in_words(open_page, complaints, large, settings):
    page = open_page("/add/")
    settings.FILESERVER_MAX_UPLOAD_SIZE = MIB
    choose_paths(page, large)
    expect(upload_row(page, "large.bin")).to_contain_text("Refused: ")
    expect(upload_row(page, "large.bin")).to_contain_text("the limit is 1,048,576.")
    provoked(complaints, "413")
    assert not Upload.objects.exists()


def test_cancelling_leaves_nothing_on_the_server(open_page, large):
    page = open_page("/add/")
    hold_piece(page, MIB)
    choose_paths(page, large)
    row = upload_row(page, "large.bin")
    expect(row).to_contain_text(re.compile(r"1\.0.MB of 3\.5.MB"))
    url = f"/api/v1/uploads/{Upload.objects.get().pk}/"
    with page.expect_response(lambda response: response.request.method == "DELETE"):
        row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("Cancelled; nothing was stored.")
    assert page.request.get(url).status == 404
    assert page.evaluate(KEPT) == []
    page.unroute(UPLOADS)
    row.get_by_role("button", name="Retry").click()
    expect(row).to_contain_text("Stored.")
    assert File.objects.get().hash == hash_of(large)


def test_the_same_file_goes_on_after_a_reload(open_page, large):
    page = open_page()
    interrupt(page, large)
    unfinished = page.get_by_role("listitem").filter(has_text="large.bin")
    expect(unfinished).to_contain_text(re.compile(r"1\.0.MB of 3\.5.MB"))
    requests = requests_of(page)
    page.route(UPLOADS, lambda route: route.continue_() if route.request.method == "HEAD" else None)
    choose_paths(page, large)
    row = upload_row(page, "large.bin")
    expect(row).to_contain_text(re.compile(r"Resumed at 1\.0.MB: 1\.0.MB of 3\.5.MB"))
    expect(page.locator("#announcements")).to_contain_text("Resumed at")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    assert float(row.locator("progress").get_attribute("value") or 0) == pytest.approx(2 / 7)
    assert requests == [("HEAD", ""), ("PATCH", str(MIB))]
    page.reload()
    page.unroute(UPLOADS)
    choose_paths(page, large)
    expect(row).to_contain_text("Stored.")
    assert [offset for method, offset in requests if method == "PATCH"] == [
        str(offset * MIB) for offset in (1, 1, 2, 3)
    ]
    assert File.objects.get().hash == hash_of(large)
    assert page.evaluate(KEPT) == []


def test_another_file_of_the_same_name_size_and_date_begins_anew(open_page, large):
    page = open_page()
    interrupt(page, large)
    stat = large.stat()
    large.write_bytes(noise(stat.st_size - 1) + b"!")
    os.utime(large, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    choose_paths(page, large)
    expect(upload_row(page, "large.bin")).to_contain_text("Stored.")
    assert File.objects.get().hash == hash_of(large)
    assert Upload.objects.filter(state="receiving").get().offset == MIB


def test_unfinished_uploads_can_be_discarded(open_page, large):
    page = open_page(viewport=NARROW)
    upload = interrupt(page, large)
    expect(page.get_by_text("Choose the same file again")).to_be_visible()
    assert page.evaluate("() => document.body.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Discard: large.bin").press("Enter")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
    expect(page.locator("#announcements")).to_contain_text("“large.bin” was discarded.")
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert page.evaluate(KEPT) == []


def test_discarding_out_of_reach_is_said(open_page, complaints, large):
    page = open_page()
    upload = interrupt(page, large)
    page.route(UPLOADS, lambda route: route.abort())
    page.get_by_role("button", name="Discard: large.bin").click()
    expect(page.locator("#notices")).to_contain_text("could not be discarded: the connection")
    expect(page.get_by_text("Unfinished uploads")).to_be_visible()
    assert Upload.objects.filter(pk=upload.pk).exists()
    provoked(complaints, "ERR_FAILED")


def test_uploads_that_the_server_forgot_are_forgotten(open_page, complaints, large):
    page = open_page()
    interrupt(page, large).delete()
    page.reload(wait_until="networkidle")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    assert page.evaluate(KEPT) == []
    provoked(complaints, "404")


def test_an_upload_that_the_server_forgot_begins_anew(open_page, complaints, large):
    page = open_page()
    upload = interrupt(page, large)
    upload.delete()
    choose_paths(page, large)
    expect(upload_row(page, "large.bin")).to_contain_text("Stored.")
    assert page.evaluate(KEPT) == []
    provoked(complaints, "404")
