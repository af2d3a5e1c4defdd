"""Pages of a real Chromium, and what a person does with the drop zone.

Entry points: page_opener, choose, choose_paths, upload_row, Network, hold_piece, interrupt,
provoked.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.models import Upload

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        FilePayload,
        Locator,
        Page,
        Request,
        Route,
    )

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}

MIB = 1 << 20
UPLOADS = "**/api/v1/uploads/**"
# A script that returns what the browser remembers of unfinished uploads.
KEPT_SENTENCE = "Cancelled; choose Retry, or the same file later, to go on."
REMEMBERED = (
    "() => Object.keys(localStorage).filter((key) => key.startsWith('unfinished-upload::'))"
)

PageOpener = Callable[..., "Page"]


@contextlib.contextmanager
def page_opener(browser: Browser, url: str, complaints: list[str]) -> Iterator[PageOpener]:
    """Yield what opens a path of the server at `url` in a browser of its own.

    `complaints` gets what the browser says against our pages.
    """
    contexts: list[BrowserContext] = []

    def open_page(path: str = "/", **options: Any) -> Page:
        usual: dict[str, Any] = {"base_url": url, "viewport": WIDE, "locale": "en-US"}
        context = browser.new_context(**usual | options)
        contexts.append(context)
        page = context.new_page()
        watch(page, complaints)
        page.goto(path, wait_until="networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()


def watch(page: Page, complaints: list[str]) -> None:
    """Let `complaints` get what the browser says against the page."""
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )


def provoked(complaints: list[str], *words: str) -> None:
    """Take away the complaints that a test meant to provoke."""
    complaints[:] = [text for text in complaints if not any(word in text for word in words)]


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files made up here."""
    kind = "application/octet-stream"
    payloads: list[FilePayload] = [
        {"name": name, "mimeType": kind, "buffer": data} for name, data in files
    ]
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(payloads)


def choose_paths(page: Page, *paths: Path) -> None:
    """Choose files of this machine, which have the same date each time."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(list(paths))


def upload_row(page: Page, name: str) -> Locator:
    """Return the line of the queue that tells of the file with this name."""
    return page.locator(".upload-item").filter(has_text=name)


class Network:
    """What lies between a page and its server: slow, or gone."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Network.enable")

    def be(self, *, bytes_per_second: int = -1, offline: bool = False) -> None:
        """Send no more than that up, or nothing at all."""
        conditions = {
            "offline": offline,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": bytes_per_second,
        }
        self._session.send("Network.emulateNetworkConditions", conditions)


def requests_of(page: Page) -> list[tuple[str, str]]:
    """Return a list that gets method and offset of each request for uploads from now on."""
    requests: list[tuple[str, str]] = []

    def note(request: Request) -> None:
        if "/api/v1/uploads/" in request.url:
            requests.append((request.method, request.headers.get("upload-offset", "")))

    page.on("request", note)
    return requests


def hold_piece(page: Page, offset: int) -> list[Route]:
    """Leave the request with the piece at `offset` without an answer; the list gets it."""
    held: list[Route] = []

    def answer(route: Route) -> None:
        if route.request.headers.get("upload-offset") == str(offset):
            held.append(route)
        else:
            route.continue_()

    page.route(UPLOADS, answer)
    return held


def interrupt(page: Page, path: Path) -> Upload:
    """Reload the page when the first piece of the file is on the server."""
    hold_piece(page, MIB)
    choose_paths(page, path)
    upload_row(page, path.name).filter(has_text=re.compile(r"1\.0.MB of ")).wait_for()
    page.reload(wait_until="networkidle")
    page.unroute(UPLOADS)
    page.locator(".upload-item").wait_for(state="detached")
    return Upload.objects.get(offset=MIB)
