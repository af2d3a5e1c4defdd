"""The list of unfinished uploads in a real Chromium, from which they can be discarded."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User

from files.models import Upload
from files.tests.browsing import (
    KEPT_SENTENCE,
    MIB,
    NARROW,
    REMEMBERED,
    UPLOADS,
    choose_paths,
    hold_piece,
    interrupt,
    provoked,
    upload_row,
)
from files.tests.samples import noise

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("small_pieces"),
]


def test_unfinished_uploads_can_be_discarded(open_page, large):
    page = open_page(viewport=NARROW)
    upload = interrupt(page, large)
    expect(page.get_by_text("Choose the same file again")).to_be_visible()
    assert page.evaluate("() => document.body.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Discard: large.bin").press("Enter")
    really = page.get_by_role("button", name="Really discard? large.bin")
    expect(really).to_be_focused()
    expect(page.locator("#announcements")).to_contain_text("Press again to discard")
    assert page.evaluate("() => document.body.scrollWidth <= window.innerWidth")
    assert Upload.objects.filter(pk=upload.pk).exists()
    really.press("Enter")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
    expect(page.locator("#announcements")).to_contain_text("“large.bin” was discarded.")
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert page.evaluate(REMEMBERED) == []


@pytest.mark.parametrize("key", ["Escape", "Tab"])
def test_discarding_is_asked_again_after_anything_else(open_page, large, key):
    page = open_page()
    upload = interrupt(page, large)
    discard = page.get_by_role("button", name="Discard: large.bin", exact=True)
    discard.press("Enter")
    page.keyboard.press(key)
    expect(discard).to_have_text("Discard")
    discard.press("Enter")
    expect(page.get_by_role("button", name="Really discard? large.bin")).to_be_visible()
    page.get_by_role("heading", name="Unfinished uploads").click()
    expect(discard).to_be_visible()
    assert Upload.objects.filter(pk=upload.pk).exists()


def test_a_second_press_of_enter_never_discards_another_upload(open_page, large, tmp_path):
    page = open_page()
    interrupt(page, large)
    other = tmp_path / "other.bin"
    other.write_bytes(noise(3 * MIB + MIB // 2, seed=2))
    hold_piece(page, MIB)
    choose_paths(page, other)
    expect(upload_row(page, other.name)).to_contain_text(re.compile(r"1\.0.MB of 3\.5.MB"))
    page.reload(wait_until="networkidle")
    page.unroute(UPLOADS)
    expect(page.get_by_role("button", name=re.compile("^Discard: "))).to_have_count(2)
    page.get_by_role("button", name="Discard: other.bin").press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Discard: other.bin")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
    assert [upload.name for upload in Upload.objects.all()] == ["large.bin"]
    expect(page.get_by_role("button", name="Discard: large.bin")).to_be_visible()


def test_discarding_out_of_reach_is_said(open_page, complaints, large):
    page = open_page()
    upload = interrupt(page, large)
    page.route(UPLOADS, lambda route: route.abort())
    page.get_by_role("button", name="Discard: large.bin").click()
    page.get_by_role("button", name="Really discard? large.bin").click()
    expect(page.locator("#notices")).to_contain_text("could not be discarded: the connection")
    expect(page.get_by_text("Unfinished uploads")).to_be_visible()
    assert Upload.objects.filter(pk=upload.pk).exists()
    provoked(complaints, "ERR_FAILED")


def test_discarding_what_a_cancelled_upload_left_is_said_in_its_row(open_page, large):
    page = open_page("/add/")
    hold_piece(page, MIB)
    choose_paths(page, large)
    row = upload_row(page, "large.bin")
    expect(row).to_contain_text(re.compile(r"1\.0.MB of 3\.5.MB"))
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Discard: large.bin").click()
    expect(row).to_contain_text(KEPT_SENTENCE)
    page.get_by_role("button", name="Really discard? large.bin").click()
    expect(row).to_contain_text("Cancelled; nothing was stored.")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    assert not Upload.objects.exists()


def test_uploads_that_expired_are_forgotten(open_page, complaints, large):
    page = open_page()
    upload = interrupt(page, large)
    Upload.objects.update(expires_at=upload.created_at)
    page.reload(wait_until="networkidle")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    assert page.evaluate(REMEMBERED) == []
    provoked(complaints, "410")


AGED = """() => Object.keys(localStorage).forEach((key) => {
  const upload = JSON.parse(localStorage.getItem(key));
  upload.creationTime = new Date(Date.now() - 31 * 24 * 3600 * 1000).toString();
  localStorage.setItem(key, JSON.stringify(upload));
})"""


def test_uploads_that_are_not_found_are_kept_in_mind_for_a_month(open_page, complaints, large):
    """They may be those of somebody who is not signed in at the moment."""
    page = open_page()
    user = User.objects.create_user("anna")
    upload = interrupt(page, large)
    Upload.objects.update(owner=user)
    page.reload(wait_until="networkidle")
    expect(page.get_by_text("Unfinished uploads")).to_be_hidden()
    Upload.objects.filter(pk=upload.pk).update(owner=None)
    page.reload(wait_until="networkidle")
    expect(page.get_by_text("Unfinished uploads")).to_be_visible()
    Upload.objects.all().delete()
    page.evaluate(AGED)
    page.reload(wait_until="networkidle")
    assert page.evaluate(REMEMBERED) == []
    provoked(complaints, "404")
