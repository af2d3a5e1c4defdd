"""The admin in a real Chromium: nothing that the policy refuses, nothing that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.models import File, Label, Upload
from files.services.deletion import delete_file
from files.tests.admin.pages import LIST, page_of
from files.tests.factories import make_file
from files.tests.samples import png

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

# Where the page can be scrolled to the side: what makes it so.
WIDER_THAN_THE_PAGE = """() => {
  const { clientWidth, scrollWidth } = document.documentElement;
  const wide = (element) => element.getBoundingClientRect().right > clientWidth + 1;
  const found = scrollWidth > clientWidth ? [...document.querySelectorAll("*")].filter(wide) : [];
  return found.map((element) => element.outerHTML.slice(0, 80));
}"""
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 400, "height": 800}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture(params=[(WIDE, "light"), (NARROW, "dark")], ids=["wide-light", "narrow-dark"])
def page(request, browser, live_server, admin_user) -> Iterator[Page]:
    """Return a page of the signed-in operator; what the browser says against it fails the test."""
    viewport, scheme = request.param
    context = browser.new_context(
        base_url=live_server.url, viewport=viewport, color_scheme=scheme, locale="en-US"
    )
    client = Client()
    client.force_login(admin_user)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
    )
    page, complaints = context.new_page(), []
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    yield page
    context.close()
    assert complaints == []


def test_pages_fit_and_nothing_is_refused(page):
    label = Label.objects.create(space_id=DEFAULT_SPACE_ID, name="red " * 20, color="#ff0000")
    picture = make_file(png(400, 300), name="red.png")
    long = make_file(name="x" * 200 + ".txt", folder="y" * 300)
    delete_file(actor=SYSTEM, file_id=make_file(name="<script>alert(1)</script>.txt").pk)
    for number, concat in enumerate(("", "partial", "final;/a")):
        Upload.objects.create(
            space_id=DEFAULT_SPACE_ID,
            name=f"{number}" * 200,
            size=40_000_000_000 if number else None,
            offset=39_999_999_999,
            concat=concat,
            expires_at=timezone.now() + timedelta(days=number - 1),
        )
    upload = Upload.objects.first()
    paths = ["/admin/", LIST, f"{LIST}?state=all", f"{LIST}?q=nothing"]
    paths += [
        page_of(file, name) for file in (picture, long) for name in ("change", "purge", "history")
    ]
    kinds = (
        "event",
        "content",
        "space",
        "label",
        "label/add",
        "upload",
        *(f"upload/{upload.pk}/{name}" for name in ("change", "delete")),
        *(f"label/{label.pk}/{name}" for name in ("change", "delete")),
    )
    for path in [*paths, *(f"/admin/files/{kind}/" for kind in kinds)]:
        page.goto(path, wait_until="networkidle")
        assert page.evaluate(WIDER_THAN_THE_PAGE) == [], path
        assert page.locator(".bi").evaluate_all(
            "icons => icons.every((icon) => document.fonts.check('16px bootstrap-icons'))"
        )
        assert page.locator("time:not([data-localized])").count() == 0
    page.goto(page_of(picture))
    assert page.locator(".preview img").evaluate("image => image.naturalWidth") == 400


def test_all_that_are_found_can_be_selected_and_deleted(page, monkeypatch):
    monkeypatch.setattr("files.admin.listing.OperatorAdmin.list_per_page", 20)
    for number in range(130):
        make_file(name=f"{number}.txt")
    make_file(name="kept.pdf")
    page.goto(f"{LIST}?suffix=txt")
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Select all 130 files").click()
    page.get_by_label("Action:").select_option("trash")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".amount")).to_contain_text("130 files")
    page.get_by_role("button", name="Move to the trash").click()
    expect(page.locator(".run-summary")).to_contain_text("130 files were moved to the trash.")
    expect(page.locator(".run-progress:visible")).to_have_count(0)
    page.get_by_role("link", name="Back").click()
    expect(page.locator(".paginator")).to_contain_text("0 files")
    assert [file.name for file in File.objects.all()] == ["kept.pdf"]


def test_a_type_that_is_no_choice_can_be_typed_in(page):
    make_file(name="a.pdf")
    make_file(name="b.txt")
    page.goto(f"{LIST}?q=.")
    field = page.get_by_role("combobox", name="type").or_(page.get_by_role("textbox", name="type"))
    field.first.fill("txt")
    field.first.press("Enter")
    expect(page.locator(".field-file_name")).to_have_count(1)
    expect(page.locator(".field-file_name")).to_contain_text("b.txt")
