from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connections

from files.tests.running_server import RunningServer, prepare, running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what looks at a new database of a server that it names by itself."""
    for item in items:
        if {"mysql_url", "postgresql_url"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.own_servers)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings: None
) -> None:
    """Keep SQLite's test database in a file, and empty PostgreSQL's quickly.

    In memory there is no WAL and no second process. TRUNCATE makes new files for each table,
    which takes half a second after every test with transactions of its own.
    """
    connection = connections["default"]
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = (
            tmp_path_factory.mktemp("database") / "test.sqlite3"
        )
    elif connection.vendor == "postgresql":
        quoted = connection.ops.quote_name
        connection.ops.sql_flush = lambda style, tables, **options: [  # type: ignore[method-assign]
            f"DELETE FROM {quoted(table)}"  # noqa: S608
            for table in tables
        ]


@pytest.fixture(autouse=True)
def default_settings(settings, tmp_path: Path) -> None:
    """Forget what the environment of whoever runs the tests may say."""
    settings.FILESERVER_DATA_DIR = tmp_path
    settings.FILESERVER_ACCESS = "open"
    settings.FILESERVER_MAX_UPLOAD_SIZE = None
    settings.FILESERVER_TRASH_DAYS = 30
    settings.FILESERVER_TRUSTED_PROXIES = []
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """Start Debian's Chromium; for tests marked `browser`."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    connection = connections["default"]
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        # Playwright keeps an event loop running in this thread. Django would refuse queries
        # there, and open a connection that knows nothing of the contents to roll back to.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        connections["default"] = connection
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of a server that has not run yet, to be copied."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    prepare(data)
    return data


@pytest.fixture
def server(prepared_data: Path) -> Iterator[RunningServer]:
    """Start a real server with empty data; for tests marked `live`.

    Two workers, whatever the default: what holds within one process need not between two.
    """
    with running_server("--workers", "2", prepared=prepared_data) as running:
        yield running
