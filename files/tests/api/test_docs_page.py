"""The page to try the API, in a real Chromium: it works under the policy of all pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings

from files.models import File, Label

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def open_docs(browser, live_server, client) -> Iterator[Callable[..., Page]]:
    """Return what opens the page; in the end no browser may have complained of anything."""
    contexts, complaints = [], []

    def open_docs(**options: object) -> Page:
        context = browser.new_context(base_url=live_server.url, **{"viewport": WIDE} | options)
        contexts.append(context)
        for name, cookie in client.cookies.items():
            context.add_cookies([{"name": name, "value": cookie.value, "url": live_server.url}])
        page: Page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: complaints.extend(foreign(request.url)))
        page.goto("/api/docs/", wait_until="networkidle")
        return page

    def foreign(url: str) -> list[str]:
        return [] if url.startswith((live_server.url, "data:", "blob:")) else [url]

    yield open_docs
    for context in contexts:
        context.close()
    assert complaints == []


def try_out(page: Page, operation: str) -> Locator:
    """Open an operation for trying, and return its block."""
    block = page.locator(f"[id$='-{operation}']")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def execute(block: Locator) -> str:
    """Send the request and return the status of the answer."""
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table tbody .response-col_status").first.inner_text()


def test_it_lists_every_operation(open_docs):
    page = open_docs()
    expect(page.locator(".opblock")).to_have_count(32)
    expect(page.get_by_role("heading", name="REST API", exact=True)).to_be_visible()
    expect(page.locator(".scheme-container")).to_be_hidden()


def test_a_file_can_be_uploaded_and_downloaded(open_docs):
    page = open_docs()
    block = try_out(page, "files_create")
    block.locator("input[type=file]").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"}
    )
    assert execute(block).startswith("201")
    file = File.objects.get()
    block = try_out(page, "files_content")
    block.get_by_placeholder("file_id").fill(str(file.pk))
    assert execute(block).startswith("200")
    expect(block.locator(".live-responses-table")).to_contain_text("text/plain")


def test_a_session_can_change_things(open_docs, admin_client, client, settings):
    settings.FILESERVER_ACCESS = "private"
    client.cookies[django_settings.SESSION_COOKIE_NAME] = admin_client.cookies[
        django_settings.SESSION_COOKIE_NAME
    ].value
    block = try_out(open_docs(), "labels_create")
    assert execute(block).startswith("201")
    assert Label.objects.get().name == "urgent"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_it_is_readable_and_fits(open_docs, color_scheme):
    page = open_docs(viewport=NARROW, color_scheme=color_scheme)
    block = page.locator("[id$='-files_create']")
    block.locator(".opblock-summary-control").click()
    expect(block.locator(".responses-table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    is_dark = page.evaluate("document.documentElement.classList.contains('dark-mode')")
    assert is_dark is (color_scheme == "dark")
