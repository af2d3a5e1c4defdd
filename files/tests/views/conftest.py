from __future__ import annotations

from collections.abc import Iterator

import pytest

from files.tests.browsing import PageOpener, page_opener


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser says against our pages; a test removes what it provoked."""
    complaints: list[str] = []
    yield complaints
    assert complaints == []


@pytest.fixture
def open_page(browser, live_server, complaints) -> Iterator[PageOpener]:
    with page_opener(browser, live_server.url, complaints) as opener:
        yield opener
