"""What the tests of the admin's pages have in common."""

from __future__ import annotations

import re
from html import unescape

from files.actors import DEFAULT_SPACE_ID
from files.models import File
from files.services.statistics import library_statistics
from files.tests.factories import make_file

LIST = "/admin/files/file/"


def page_of(file, name: str = "change") -> str:
    return f"{LIST}{file.pk}/{name}/"


def text_of(response) -> str:
    assert response.status_code == 200, response
    content = b"".join(response) if response.streaming else response.content
    return content.decode()


def names_in(response) -> list[str]:
    """Return the names of the files listed, in order."""
    found = re.findall(r'field-file_name">.*?<bdi>(.*?)</bdi>', text_of(response), re.S)
    return [unescape(name) for name in found]


def link_in(response, rel: str) -> str:
    """Return where the link "next" or "prev" of a list leads, "" without one."""
    match = re.search(rf'<a href="([^"]*)" rel="{rel}"', text_of(response))
    return unescape(match[1]) if match else ""


def count_in(response) -> str:
    match = re.search(r'class="paginator keyset".*?<span>(.*?)</span>', text_of(response), re.S)
    assert match is not None
    return " ".join(match[1].split())


def run_action(client, action, *files, query="", **data):
    """Post an action for the files, or for all with `select_across=1`."""
    ids = [file.pk for file in files]
    return client.post(
        f"{LIST}{query}",
        {"action": action, "index": 0, "select_across": 0, "_selected_action": ids} | data,
    )


def told(client) -> str:
    """Return the messages that the next page shows."""
    return " ".join(re.findall(r"<li class=\"\w+\">(.*?)</li>", text_of(client.get("/admin/"))))


def check_totals() -> None:
    """Assert that what is counted is what is there."""
    figures = library_statistics(space_id=DEFAULT_SPACE_ID)
    live, everything = File.objects.all(), File.everything.all()
    assert figures.files.count == live.count()
    assert figures.files.bytes == sum(file.size for file in live)
    assert figures.trash.count == everything.count() - live.count()


def make_library(count: int = 5) -> list[File]:
    """Make files of growing size, the last of which is the newest."""
    return [make_file(b"x" * (number + 1), name=f"{number}.txt") for number in range(count)]
