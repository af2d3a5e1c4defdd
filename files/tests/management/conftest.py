from __future__ import annotations

from pathlib import Path

import pytest

from files.tests.copied_libraries import empty_database


@pytest.fixture
def target(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a database with empty tables."""
    return empty_database(tmp_path_factory.getbasetemp(), tmp_path)
