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
    KEPT_SENTENCE,
    MIB,
    REMEMBERED,
    UPLOADS,
    choose_paths,
    hold_piece,
    interrupt,
    provoked,
    requests_of,
    upload_row,
)
from files.tests.factories import make_file
from files.tests.samples import noise

if TYPE_CHECKING:
    from playwright.sync_api import Route

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("small_pieces"),
]


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
    assert page.evaluate(REMEMBERED) == []
    upload_row(page, "large.bin").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("large.bin")


def test_duplicate_of_a_large_file_leads_to_the_one_that_is_there(open_page, large):
    existing = make_file(large.read_bytes(), name="first.bin")
    page = open_page("/add/")
    choose_paths(page, large)
    row = upload_row(page, "large.bin")
    expect(row).to_have_attribute("data-state", "duplicate")
    expect(row).to_contain_text("Not stored again: the same bytes are there as first.bin")
    assert page.evaluate(REMEMBERED) == []
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


def test_cancelling_keeps_what_the_server_has(open_page, large):
    page = open_page("/add/", timezone_id="UTC")
    hold_piece(page, MIB)
    choose_paths(page, large)
    row = upload_row(page, "large.bin")
    expect(row).to_contain_text(re.compile(r"1\.0.MB of 3\.5.MB"))
    requests = requests_of(page)
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text(KEPT_SENTENCE)
    expect(row.get_by_role("button", name="Retry")).to_be_focused()
    expect(page.locator("#announcements")).to_contain_text(KEPT_SENTENCE)
    expires_at = Upload.objects.get(offset=MIB).expires_at
    until = f"kept until {expires_at:%b} {expires_at.day}"
    unfinished = page.get_by_role("region", name="Upload").locator("li", has_text=until)
    expect(unfinished).to_contain_text(re.compile(r"1\.0.MB of 3\.5.MB; kept until "))
    page.unroute(UPLOADS)
    row.get_by_role("button", name="Retry").click()
    expect(row).to_contain_text("Stored.")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    methods = [method for method, _ in requests]
    assert "DELETE" not in methods
    assert "POST" not in methods
    assert File.objects.get().hash == hash_of(large)
    assert page.evaluate(REMEMBERED) == []


def test_cancelling_before_the_first_byte_leaves_nothing_on_the_server(open_page, large):
    page = open_page("/add/")
    hold_piece(page, 0)
    with page.expect_request(lambda request: request.method == "PATCH"):
        choose_paths(page, large)
    row = upload_row(page, "large.bin")
    with page.expect_response(lambda response: response.request.method == "DELETE"):
        page.get_by_role("button", name="Cancel all").click()
    expect(row).to_contain_text("Cancelled; nothing was stored.")
    assert not Upload.objects.exists()
    assert page.evaluate(REMEMBERED) == []


def test_upload_cancelled_with_its_last_byte_is_stored_and_the_row_says_so(open_page, tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(noise(MIB))
    page = open_page("/add/")
    held: list[Route] = []

    def hold_first_get(route: Route) -> None:
        if route.request.method != "GET" or held:
            route.continue_()
        else:
            held.append(route)

    page.route(UPLOADS, hold_first_get)
    with page.expect_request(lambda request: request.method == "GET"):
        choose_paths(page, path)
    row = upload_row(page, "large.bin")
    expect(row).to_have_attribute("data-state", "storing")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_attribute("data-state", "stored")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    assert page.evaluate(REMEMBERED) == []


def test_cancelling_before_the_server_says_what_it_has_keeps_it(open_page, large):
    page = open_page()
    upload = interrupt(page, large)
    page.route(UPLOADS, lambda route: route.continue_() if route.request.method != "HEAD" else None)
    with page.expect_request(lambda request: request.method == "HEAD"):
        choose_paths(page, large)
    row = upload_row(page, "large.bin")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text(KEPT_SENTENCE)
    expect(page.get_by_text("Unfinished uploads")).to_be_visible()
    page.unroute(UPLOADS)
    row.get_by_role("button", name="Retry").click()
    expect(row).to_contain_text("Stored.")
    assert File.objects.get().hash == hash_of(large)
    assert Upload.objects.get().pk == upload.pk


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
    assert page.evaluate(REMEMBERED) == []


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


def test_an_upload_that_the_server_forgot_begins_anew(open_page, complaints, large):
    page = open_page()
    upload = interrupt(page, large)
    upload.delete()
    choose_paths(page, large)
    expect(upload_row(page, "large.bin")).to_contain_text("Stored.")
    assert page.evaluate(REMEMBERED) == []
    provoked(complaints, "404")
