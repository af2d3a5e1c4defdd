"""The pages in a real Chromium: what JavaScript adds, and what is there without it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from files.models import File
from files.tests.browsing import NARROW, WIDE, Network, choose, provoked, upload_row
from files.tests.factories import make_file
from files.tests.samples import noise, png

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


def test_upload_shows_progress_and_the_list_follows(open_page):
    page = open_page()
    expect(page.locator("#upload-form")).to_be_hidden()
    Network(page).be(bytes_per_second=400_000)
    choose(page, ("big.bin", noise(400_000)), ("ünï & <b>.txt", b"text"))
    seen = set()
    bar = upload_row(page, "big.bin").locator("progress")
    while upload_row(page, "big.bin").get_attribute("data-state") in ("waiting", "sending"):
        seen.add(bar.evaluate("bar => bar.value"))
    expect(page.locator('.upload-item[data-state="stored"]')).to_have_count(2)
    assert any(0 < value < 1 for value in seen)
    expect(page.locator('[data-slot="total"]')).to_contain_text("2 of 2 files")
    expect(page.locator("#announcements")).to_contain_text("Stored.")
    expect(page.locator("#file-list-summary")).to_contain_text("2 files")
    expect(page.get_by_role("heading", name="BIN", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="TXT", exact=True)).to_be_visible()
    upload_row(page, "ünï").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ünï & <b>.txt")


def test_download_brings_the_same_bytes(open_page):
    data = noise(300_000, seed=1)
    file = make_file(data, name="ünï %41.bin")
    page = open_page(f"/view/{file.pk}/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == data
    assert download.value.suggested_filename == "ünï %41.bin"


def test_many_files_go_up_side_by_side(open_page):
    page = open_page("/add/")
    choose(page, *((f"{number}.txt", b"%d" % number) for number in range(12)))
    expect(page.locator('.upload-item[data-state="stored"]')).to_have_count(12)
    expect(page.get_by_role("button", name="Cancel all")).to_be_hidden()
    assert File.objects.count() == 12
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".upload-item")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()


def test_duplicate_leads_to_the_file_that_is_there(open_page, complaints):
    existing = make_file(b"the same", name="first.txt")
    page = open_page()
    choose(page, ("second.txt", b"the same"))
    item = upload_row(page, "second.txt")
    expect(item).to_have_attribute("data-state", "duplicate")
    expect(item).to_contain_text("Not stored again: the same bytes are there as first.txt")
    expect(item.get_by_role("button")).to_have_count(0)
    item.get_by_role("link", name="first.txt").click()
    expect(page).to_have_url(re.compile(f"/view/{existing.pk}/$"))
    provoked(complaints, "409")


def test_refusals_are_said_in_words(open_page, complaints, settings):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 1000
    page = open_page("/add/")
    expect(page.locator("#upload")).to_contain_text("At most 1000\N{NO-BREAK SPACE}bytes")
    settings.FILESERVER_MAX_UPLOAD_SIZE = 10
    choose(page, ("large.txt", b"x" * 1001), ("smaller.txt", b"x" * 500))
    expect(upload_row(page, "large.txt")).to_contain_text("Refused: it is too large; the limit is")
    # This one the page lets through, and the server has a sentence of its own.
    expect(upload_row(page, "smaller.txt")).to_contain_text("the limit is 10.")
    provoked(complaints, "413")
    assert not File.objects.exists()


def test_lost_connection_is_said_and_tried_again(open_page, complaints):
    page = open_page()
    page.route("**/upload", lambda route: route.abort("connectionreset"))
    choose(page, ("a.txt", b"a"))
    item = upload_row(page, "a.txt")
    expect(item).to_contain_text("Failed: the connection to the server was lost.")
    page.unroute("**/upload")
    item.get_by_role("button", name="Retry").press("Enter")
    expect(item).to_contain_text("Stored.")
    expect(item.get_by_role("link", name="a.txt")).to_be_focused()
    provoked(complaints, "ERR_CONNECTION_RESET")


def test_an_upload_can_be_cancelled(open_page):
    page = open_page()
    page.route("**/upload", lambda route: None)
    choose(page, *((f"{number}.txt", b"%d" % number) for number in range(5)))
    upload_row(page, "0.txt").get_by_role("button", name="Cancel").click()
    expect(upload_row(page, "0.txt")).to_contain_text("Cancelled; nothing was stored.")
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator('.upload-item[data-state="cancelled"]')).to_have_count(5)
    expect(page.locator("#upload [data-action=clear]")).to_be_visible()


def test_files_can_be_dropped_anywhere(open_page):
    page = open_page()
    dropped = page.evaluate_handle(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["one"], "one.txt"));
          transfer.items.add(new File(["two"], "two.txt"));
          return transfer;
        }"""
    )
    page.dispatch_event("h1", "dragover", {"dataTransfer": dropped})
    expect(page.locator("#upload")).to_have_class(re.compile("is-target"))
    page.dispatch_event("h1", "drop", {"dataTransfer": dropped})
    expect(page.locator('.upload-item[data-state="stored"]')).to_have_count(2)
    expect(page.locator("#upload")).not_to_have_class(re.compile("is-target"))


def test_delete_asks_and_keeps_the_focus(open_page):
    for name in ("a.txt", "b.txt", "c.txt"):
        make_file(name=name)
    page = open_page("/?ordering=name")
    dialog = page.get_by_role("dialog", name="Delete this file?")
    button = page.get_by_role("link", name="Delete: b.txt")
    button.click()
    expect(dialog).to_contain_text("b.txt")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    button.press("Enter")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("#notices")).to_contain_text("“b.txt” was deleted.")
    expect(page.locator("tr[data-file-id]")).to_have_count(2)
    expect(page.locator("#file-list-summary")).to_contain_text("2 files")
    expect(page.get_by_role("link", name="Delete: c.txt")).to_be_focused()
    assert not File.objects.filter(name="b.txt").exists()


def test_deleting_what_is_gone_or_out_of_reach_is_said(open_page, complaints):
    gone, kept = make_file(name="gone.txt"), make_file(name="kept.txt")
    page = open_page()
    File.objects.filter(pk=gone.pk).delete()
    page.get_by_role("link", name="Delete: gone.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#notices")).to_contain_text("“gone.txt” had been deleted already.")
    page.route("**/delete/*", lambda route: route.abort())
    page.get_by_role("link", name=f"Delete: {kept.name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#notices")).to_contain_text("could not be deleted: the server cannot")
    expect(page.locator("tr[data-file-id]")).to_have_count(1)
    provoked(complaints, "404", "ERR_FAILED")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_fits_and_nothing_is_refused(open_page, complaints, viewport, scheme):
    picture = make_file(png(800, 600), name="red.png")
    long = make_file(name="x" * 200 + ".txt")
    make_file(name="no-suffix-but-long-" + "y" * 100)
    make_file(name="a." + "z" * 32)
    page = open_page(viewport=viewport, color_scheme=scheme)
    paths = ["/", "/?suffix=png", "/?q=x", "/?q=nothing", "/add/"]
    paths += [f"/view/{file.pk}/{tail}" for file in (picture, long) for tail in ("", "delete/")]
    for path in [*paths, "/nothing", "/?page=x"]:
        page.goto(path)
        root = page.locator("html")
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth"), path
        assert root.get_attribute("data-bs-theme") == scheme
        assert page.locator(".bi").evaluate_all(
            "icons => icons.every((icon) => document.fonts.check('16px bootstrap-icons'))"
        )
    page.goto(f"/view/{picture.pk}/")
    assert page.locator("img.preview").evaluate("image => image.naturalWidth") == 800
    provoked(complaints, "status of 404", "status of 400")


def test_times_are_the_readers_own(open_page):
    file = make_file()
    File.objects.filter(pk=file.pk).update(upload_date="2026-07-01T22:30:00Z")
    page = open_page(f"/view/{file.pk}/", timezone_id="Europe/Berlin")
    expect(page.locator("time")).to_have_text(re.compile(r"Jul 2, 2026, 12:30\sAM"))


def test_everything_works_without_javascript(open_page, complaints, tmp_path):
    page = open_page(java_script_enabled=False, viewport=NARROW)
    expect(page.get_by_role("button", name="Choose files")).to_be_hidden()
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    (tmp_path / "plain.txt").write_bytes(b"plain")
    page.set_input_files("#id_file", tmp_path / "plain.txt")
    page.locator("#upload-form").get_by_role("button", name="Upload").click()
    expect(page.get_by_text("“plain.txt” is stored.")).to_be_visible()
    page.goto("/add/")
    page.set_input_files("#id_file", tmp_path / "plain.txt")
    page.locator("#upload-form").get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("Not stored again")
    provoked(complaints, "409")
    page.goto("/")
    expect(page.locator("time").first).to_contain_text("UTC")
    page.get_by_role("link", name="Delete: plain.txt").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“plain.txt” was deleted.")).to_be_visible()
    expect(page.get_by_text("No files yet.")).to_be_visible()
