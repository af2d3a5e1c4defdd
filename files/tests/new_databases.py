"""Fixtures: new databases on the servers that the environment names, and connections to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from files.models import Content, Label, Space
from files.tests import live_databases
from fileserver.databases import database_settings

Opener = Callable[..., BaseDatabaseWrapper]


@pytest.fixture
def opened(django_db_blocker: Any) -> Iterator[Callable[[str], BaseDatabaseWrapper]]:
    """Return a function that opens connections, which are closed in the end."""
    connections: list[BaseDatabaseWrapper] = []

    def open_url(url: str) -> BaseDatabaseWrapper:
        connection = ConnectionHandler({"default": database_settings(url)})["default"]
        connections.append(connection)
        return connection

    with django_db_blocker.unblock():
        yield open_url
        for connection in connections:
            connection.close()
            connection.close_pool()  # type: ignore[attr-defined]  # of fileserver.pooling


def new_database(variable: str) -> Iterator[str]:
    if not (url := os.environ.get(variable)):
        pytest.skip(f"{variable} is not set")
    url = urlsplit(url)._replace(path=f"/fileserver_checks_{os.getpid()}").geturl()
    live_databases.make(url)
    yield url
    live_databases.drop(url)


@pytest.fixture
def mysql_url() -> Iterator[str]:
    """Make an empty MySQL or MariaDB database."""
    yield from new_database("FILESERVER_TEST_MYSQL_URL")


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """Make an empty PostgreSQL database."""
    yield from new_database("FILESERVER_TEST_POSTGRES_URL")


def make_tables(connection: BaseDatabaseWrapper) -> None:
    """Make some of our tables, with indexes on columns that compare by bytes."""
    with connection.schema_editor() as editor:
        for model in (Space, Label, Content):
            editor.create_model(model)


def run(connection: BaseDatabaseWrapper, statements: str) -> None:
    """Run statements that end with semicolons."""
    with connection.cursor() as cursor:
        for statement in filter(None, statements.split(";")):
            cursor.execute(statement)
