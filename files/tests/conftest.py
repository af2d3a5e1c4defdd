from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from files.tests.running_server import RunningServer, prepare, running_server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings: None
) -> None:
    """Keep SQLite's test database in a file: in memory there is no WAL and no second process."""
    connection = connections["default"]
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = (
            tmp_path_factory.mktemp("database") / "test.sqlite3"
        )


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
