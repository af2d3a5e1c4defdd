"""Large files in a real Chromium whose network, server or browser goes away meanwhile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from files.models import File, Upload
from files.tests.browsing import (
    UPLOADS,
    Network,
    PageOpener,
    choose_paths,
    hold_piece,
    page_opener,
    provoked,
    requests_of,
    upload_row,
    watch,
)
from files.tests.conftest import CHROMIUM, QUIET
from files.tests.factories import make_file
from files.tests.running_server import RunningServer, wait_until
from files.tests.samples import noise
from files.views import upload as upload_view

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Dialog, Route

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

MIB = 1 << 20
LONG_MS = 30_000
WAITS = "Waiting for the server; it goes on by itself."
# What the lines of the queue have said, and how far their bars were.
SEEN = """() => {
  window.seen = [];
  const list = document.querySelector('[data-slot="items"]');
  const look = () => {
    const row = list.querySelector(".upload-item");
    const result = row.querySelector('[data-slot="result"]').textContent;
    window.seen.push([row.querySelector("progress").value, result]);
  };
  new MutationObserver(look).observe(list, {attributes: true, childList: true, subtree: true});
}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def open_server_page(browser, server, complaints) -> Iterator[PageOpener]:
    with page_opener(browser, server.url, complaints) as opener:
        yield opener


def large(folder: Path, size: int) -> Path:
    path = folder / "large.bin"
    path.write_bytes(noise(size))
    return path


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_lost_network_is_waited_for(open_page, complaints, small_pieces, tmp_path):
    path = large(tmp_path, 3 * MIB)
    page = open_page("/add/")
    requests = requests_of(page)
    network = Network(page)
    network.be(bytes_per_second=MIB)
    choose_paths(page, path)
    row = upload_row(page, path.name)
    wait_until(lambda: Upload.objects.filter(offset__gte=MIB).exists(), 10)
    network.be(offline=True)
    expect(row).to_contain_text(WAITS)
    expect(row).to_have_attribute("data-state", "interrupted")
    expect(page.locator("#announcements")).to_contain_text("goes on by itself")
    network.be(offline=False)
    expect(row).to_contain_text("Stored.", timeout=LONG_MS)
    assert requests.count(("POST", "")) == 1
    assert File.objects.get().hash == hash_of(path)
    provoked(complaints, "ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED")


def test_server_that_is_busy_does_not_make_it_begin_anew(
    open_page, complaints, small_pieces, tmp_path
):
    path = large(tmp_path, 2 * MIB)
    page = open_page("/add/")
    requests = requests_of(page)
    refusals = ["PATCH", "HEAD"]

    def refuse_once(route: Route) -> None:
        is_first = route.request.headers.get("upload-offset") == "0"
        if route.request.method in refusals and not is_first:
            refusals.remove(route.request.method)
            route.fulfill(status=503, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route(UPLOADS, refuse_once)
    choose_paths(page, path)
    expect(upload_row(page, path.name)).to_contain_text("Stored.", timeout=LONG_MS)
    assert refusals == []
    methods = [method for method, _ in requests]
    assert methods == ["POST", "PATCH", "PATCH", "HEAD", "HEAD", "PATCH", "GET"]
    provoked(complaints, "503")


def test_pieces_become_smaller_where_a_proxy_takes_no_large_ones(
    open_page, complaints, small_pieces, tmp_path, monkeypatch
):
    monkeypatch.setattr(upload_view, "PIECE_SIZE", 4 * MIB)
    path = large(tmp_path, 5 * MIB)
    page = open_page("/add/")
    offsets: list[int] = []

    def answer(route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        offsets.append(int(route.request.headers["upload-offset"]))
        if len(offsets) == 1:
            route.fulfill(status=413, body="<h1>413 Request Entity Too Large</h1>")
        else:
            route.continue_()

    page.route(UPLOADS, answer)
    choose_paths(page, path)
    expect(upload_row(page, path.name)).to_contain_text("Stored.")
    assert offsets == [0, *(number * MIB for number in range(5))]
    provoked(complaints, "413")


def test_two_pages_do_not_send_the_same_upload(open_page, complaints, small_pieces, tmp_path):
    path = large(tmp_path, 2 * MIB)
    first = open_page("/add/")
    held = hold_piece(first, MIB)
    choose_paths(first, path)
    expect(upload_row(first, path.name)).to_contain_text(re.compile(r"1\.0.MB of 2\.0.MB"))
    second = first.context.new_page()
    watch(second, complaints)
    second.goto("/add/", wait_until="networkidle")
    expect(second.get_by_text("Unfinished uploads")).to_be_hidden()
    choose_paths(second, path)
    expect(upload_row(second, path.name)).to_contain_text("Stored.")
    wait_until(lambda: bool(held), 10)
    held[0].continue_()
    expect(upload_row(first, path.name)).to_contain_text("Not stored again")
    assert File.objects.count() == 1


def test_leaving_the_page_asks_while_something_is_sent(open_page, small_pieces, tmp_path):
    make_file(name="other.txt")
    page = open_page()
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    page.route(UPLOADS, lambda route: None)
    choose_paths(page, large(tmp_path, MIB))
    expect(upload_row(page, "large.bin")).to_have_attribute("data-state", "sending")
    with page.expect_download():
        page.get_by_role("link", name="Download: other.txt").click()
    assert asked == []
    page.goto("/add/")
    assert asked == ["beforeunload"]
    page.goto("/")
    assert asked == ["beforeunload"]


def test_file_that_changes_meanwhile_cannot_be_read(open_page, complaints, small_pieces, tmp_path):
    path = large(tmp_path, 3 * MIB)
    page = open_page("/add/")
    held = hold_piece(page, MIB)
    choose_paths(page, path)
    row = upload_row(page, path.name)
    expect(row).to_contain_text(re.compile(r"1\.0.MB of 3\.0.MB"))
    path.write_bytes(b"changed")
    wait_until(lambda: bool(held), 10)
    held[0].abort("connectionreset")
    expect(row).to_contain_text("Failed: it is a folder or cannot be read.")
    expect(row.get_by_role("button", name="Retry")).to_be_visible()
    provoked(complaints, "ERR_CONNECTION_RESET")


@pytest.mark.live
def test_upload_survives_the_death_of_the_server(open_server_page, server, complaints, tmp_path):
    path = large(tmp_path, 40 * MIB)
    page = open_server_page("/add/")
    requests = requests_of(page)
    Network(page).be(bytes_per_second=10 * MIB)
    choose_paths(page, path)
    row = upload_row(page, path.name)
    wait_until(lambda: offset_on(server) > 0, 20)
    page.evaluate(SEEN)
    server.kill()
    expect(row).to_contain_text(WAITS)
    server.start()
    expect(row).to_contain_text("Resumed at", timeout=LONG_MS)
    expect(row).to_contain_text("Stored.", timeout=LONG_MS)
    seen = page.evaluate("() => window.seen")
    assert [each for each in seen if each[0] < 0.1 or " 0 " in f" {each[1]}"] == []
    assert requests.count(("POST", "")) == 1
    assert [file["hash"] for file in server.files()] == [hash_of(path)]
    provoked(complaints, "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_SOCKET")


def offset_on(server: RunningServer) -> int:
    """Return how much the server has of its only upload."""
    return int((server.query('SELECT "offset" FROM "upload"') or [(0,)])[0][0])


@pytest.mark.live
def test_upload_goes_on_in_a_browser_started_anew(browser, server, complaints, tmp_path):
    path = large(tmp_path, 40 * MIB)

    def start() -> BrowserContext:
        return persistent(browser, tmp_path / "profile", server.url)

    context = start()
    page = context.new_page()
    page.goto("/add/")
    Network(page).be(bytes_per_second=10 * MIB)
    choose_paths(page, path)
    wait_until(lambda: offset_on(server) > 0, 20)
    context.close()
    context = start()
    page = context.new_page()
    watch(page, complaints)
    page.goto("/add/")
    expect(page.get_by_role("button", name="Discard: large.bin")).to_be_visible()
    requests = requests_of(page)
    choose_paths(page, path)
    expect(upload_row(page, path.name)).to_contain_text("Stored.", timeout=LONG_MS)
    assert all(int(offset) > 0 for method, offset in requests if method == "PATCH")
    assert ("POST", "") not in requests
    assert [file["hash"] for file in server.files()] == [hash_of(path)]
    context.close()


def persistent(browser: Browser, profile: Path, url: str) -> BrowserContext:
    """Start a browser that keeps what pages store, and hasn't been told to forget it."""
    return browser.browser_type.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=QUIET.split(), base_url=url, locale="en-US"
    )
