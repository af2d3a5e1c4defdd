"""Our server over each database, and over Django's own backends of two of them."""

from __future__ import annotations

import os
import sqlite3
from typing import ClassVar
from urllib.parse import urlsplit

from benchmarks.peers.ours import Ours
from files.tests import live_databases
from files.tests.running_server import environment_of


class OnSQLite(Ours):
    """As it comes."""

    name = "sqlite"
    title = "SQLite"
    does = "one file beside the server"

    @classmethod
    def version(cls) -> str:
        return sqlite3.sqlite_version


class OnServer(Ours):
    """Over a database of its own on a server that the environment names."""

    variable: ClassVar[str]
    settings: ClassVar[str] = "fileserver.settings"
    does = "over TCP on this machine, with the server's settings as they are"
    # What is done to the tables when they are made.
    change: ClassVar[str] = ""

    @classmethod
    def version(cls) -> str:
        if not (address := os.environ.get(cls.variable)):
            raise LookupError(f"{cls.variable} is not set")
        try:
            ((version,),) = live_databases.query(address, "SELECT version()")
        except Exception as error:  # noqa: BLE001  # each driver has its own
            raise LookupError(" ".join(str(error).split())) from error
        return str(version).partition(" (")[0].removeprefix("PostgreSQL ")

    def url(self, of: str = "data") -> str:
        name = f"fileserver_bench_{os.getpid()}_{self.name.replace('-', '_')}_{of}"
        return urlsplit(os.environ[self.variable])._replace(path=f"/{name}").geturl()

    def environment(self) -> dict[str, str]:
        return environment_of(
            self.data,
            FILESERVER_DURABILITY=self.durability,
            DATABASE_URL=self.url(),
            DJANGO_SETTINGS_MODULE=self.settings,
        )

    def prepare(self) -> None:
        template = self.folder / "template"
        if template.exists():
            live_databases.copy(self.url("template"), self.url())
        else:
            template.mkdir()
            live_databases.make(self.url())
            self.manage("migrate")
            if self.change:
                live_databases.query(self.url(), self.change)
            live_databases.make(self.url("template"))
            live_databases.copy(self.url(), self.url("template"))
        self.manage("collectstatic", "--no-input")

    def clear(self) -> None:
        live_databases.drop(self.url())
        super().clear()


class OnMySQL(OnServer):
    name = "mysql"
    title = "MariaDB"
    variable = "FILESERVER_TEST_MYSQL_URL"


class OnPostgreSQL(OnServer):
    name = "postgresql"
    title = "PostgreSQL"
    variable = "FILESERVER_TEST_POSTGRES_URL"


class OnStockMySQL(OnMySQL):
    name = "mysql-stock"
    title = "MariaDB, stock"
    does = "the same through Django's own backend"
    is_variant = True
    settings = "benchmarks.stock_settings"


class OnStockPostgreSQL(OnPostgreSQL):
    name = "postgresql-stock"
    title = "PostgreSQL, stock"
    does = "the same through Django's own backend, into a column as Django makes it"
    is_variant = True
    change = "ALTER TABLE chunk ALTER COLUMN data SET STORAGE EXTENDED"
    settings = "benchmarks.stock_settings"


DATABASES: tuple[type[Ours], ...] = (
    OnSQLite,
    OnMySQL,
    OnStockMySQL,
    OnPostgreSQL,
    OnStockPostgreSQL,
)
