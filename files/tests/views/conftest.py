from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from files.tests.browsing import MIB, PageOpener, page_opener
from files.tests.samples import noise
from files.views import upload as upload_view


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


@pytest.fixture
def small_pieces(monkeypatch) -> None:
    """Let pages think that a mebibyte is much."""
    monkeypatch.setattr(upload_view, "LARGE_FROM", MIB)
    monkeypatch.setattr(upload_view, "PIECE_SIZE", MIB)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a file of three pieces and a half."""
    path = tmp_path / "large.bin"
    path.write_bytes(noise(3 * MIB + MIB // 2))
    return path
