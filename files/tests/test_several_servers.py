"""Three servers over one database are one server for their clients, who never know which it is."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from files.tests.fleet import HOST, Browser, Fleet, running_fleet
from files.tests.running_server import Answer
from files.tests.samples import noise
from files.tests.test_races import counted_totals, kept_totals

pytestmark = pytest.mark.live


ADMIN = "operator"
PASSWORD = "a word for the tests only"  # noqa: S105
LIST = "/admin/files/file/"


@pytest.fixture(scope="module")
def fleet(prepared_data: Path) -> Iterator[Fleet]:
    with running_fleet(prepared_data) as running:
        add_admin(running)
        yield running


def add_admin(fleet: Fleet) -> None:
    fleet.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    fleet.manage("createsuperuser", "--noinput", "--username", ADMIN, "--email", "")


@pytest.fixture
def browser(fleet: Fleet) -> Browser:
    return Browser(fleet)


@pytest.fixture
def operator(fleet: Fleet) -> Browser:
    """Return a browser that has signed in at one of the servers."""
    browser = Browser(fleet)
    assert browser.sign_in(ADMIN, PASSWORD).status == 302
    return browser


def put(browser: Browser, name: str, data: bytes) -> dict[str, Any]:
    answer = browser.ask("PUT", f"/upload/{name}", data)
    assert answer.status == 200, answer.body
    file: dict[str, Any] = answer.json()
    return file


def fields_in(page: Answer) -> dict[str, list[str]]:
    """Return the hidden fields of a page, the token aside."""
    fields: dict[str, list[str]] = {}
    hidden = r'<input type="hidden" name="(\w+)" value="([^"]*)"'
    for name, value in re.findall(hidden, page.body.decode()):
        if name != "csrfmiddlewaretoken":
            fields.setdefault(name, []).append(unescape(value))
    return fields


def test_a_session_is_valid_on_all_of_them(operator):
    for _ in range(12):
        page = operator.get("/admin/")
        assert (page.status, ADMIN.encode() in page.body) == (200, True)
    assert len(operator.ports) == 3
    assert operator.post("/admin/logout/", {}, operator.get("/admin/")).status == 200
    assert {operator.get("/admin/").status for _ in range(6)} == {302}


def test_a_private_library_opens_on_all_of_them_with_one_signing_in(prepared_data):
    with running_fleet(prepared_data, FILESERVER_ACCESS="private") as fleet:
        add_admin(fleet)
        assert {answer.status for answer in fleet.on_each("/files")} == {401}
        browser = Browser(fleet)
        browser.sign_in(ADMIN, PASSWORD)
        assert {browser.get("/files").status for _ in range(12)} == {200}
        assert len(browser.ports) == 3


def test_a_form_of_one_is_taken_by_another(operator):
    for number in range(6):
        page = operator.get("/add/")
        boundary = "----several-servers"
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body.decode())
        assert token is not None
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n'
            f"{token[1]}\r\n--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="form {number}.txt"\r\n\r\n'
            f"form {number}\r\n--{boundary}--\r\n"
        ).encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        headers |= {"Origin": f"http://{HOST}", "Accept": "text/html"}
        assert operator.ask("POST", "/add/", body, headers).status == 302
        wrong = body.replace(token[1].encode(), b"x" * 64)
        assert operator.ask("POST", "/add/", wrong, headers).status == 403
    assert b"form 5.txt" in operator.get("/").body


@pytest.mark.parametrize("size", [0, 1_000, 3_000_000])
def test_what_is_uploaded_to_one_is_at_once_on_the_others(fleet, browser, size):
    for number in range(6):
        data = noise(size, seed=number) + b"%d" % number
        file = put(browser, f"at-once-{number}.bin", data)
        path = f"/download/{file['id']}"
        assert [answer.body for answer in fleet.on_each(path)] == [data] * 3
        for answer in fleet.on_each("/files"):
            assert file["id"] in {listed["id"] for listed in answer.json()}
        part = browser.get(path, Range=f"bytes={len(data) // 2}-")
        assert (part.status, part.body) == (206, data[len(data) // 2 :])
        assert browser.ask("PUT", "/upload/twice.bin", data).json()["existing"] == file
        assert browser.ask("DELETE", f"/delete/{file['id']}").status == 204
        assert {answer.status for answer in fleet.on_each(path)} == {404}


def test_a_page_of_one_leads_to_the_next_on_another(fleet, browser):
    wanted = [
        put(browser, f"page-{number:02}.txt", b"page %d" % number)["id"] for number in range(40)
    ]
    for ordering in ("upload_date", "-name", "size"):
        path = f"/api/v1/files/?page_size=7&ordering={ordering}&suffix=txt"
        seen: list[int] = []
        while path:
            page = browser.get(path).json()
            seen += [file["id"] for file in page["results"]]
            path = (page["next"] or "").removeprefix(f"http://{HOST}")
        assert len(seen) == len(set(seen))
        assert set(wanted) <= set(seen)


def test_an_archive_of_one_holds_what_was_uploaded_to_others(browser):
    samples = {
        f"member-{number}.bin": noise(90_000 * number, seed=number) for number in range(1, 6)
    }
    ids = [put(browser, name, data)["id"] for name, data in samples.items()]
    body = json.dumps({"id": ids}).encode()
    headers = {"Content-Type": "application/json"}
    answer = browser.ask("POST", "/api/v1/files/archive/", body, headers)
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == samples


def test_a_version_of_one_is_known_to_the_others(browser):
    file = put(browser, "version.txt", b"a file of several versions")
    path = f"/api/v1/files/{file['id']}/"
    etag = browser.get(path).headers["ETag"]
    for number in range(6):
        headers = {"Content-Type": "application/json", "If-Match": etag}
        change = json.dumps({"name": f"version {number}.txt"}).encode()
        changed = browser.ask("PATCH", path, change, headers)
        assert changed.status == 200
        assert browser.ask("PATCH", path, change, headers).status == 412
        assert browser.get(path, **{"If-None-Match": changed.headers["ETag"]}).status == 304
        etag = changed.headers["ETag"]
    assert browser.get(path).json()["name"] == "version 5.txt"


def test_operators_change_selections_across_all_of_them(fleet, operator):
    # Without a session, so that no token is asked for.
    ids = [
        put(Browser(fleet), f"chosen-{number}.txt", b"chosen %d" % number)["id"]
        for number in range(8)
    ]
    for action, state in [("trash", "live"), ("restore", "trash")]:
        path = f"{LIST}?state={state}&q=chosen-"
        chosen = {"action": action, "index": "0", "select_across": "1"}
        selected = chosen | {"_selected_action": [str(ids[0])]}
        asked = operator.post(path, selected, operator.get(path))
        if action == "trash":
            asked = operator.post(path, fields_in(asked) | {"confirmed": "1"}, asked)
        assert asked.status == 302, asked.body
        listed = {file["id"] for file in fleet.files()}
        assert (set(ids) <= listed) is (action == "restore")
        assert bool(set(ids) & listed) is (action == "restore")
    assert kept_totals(fleet) == counted_totals(fleet)
