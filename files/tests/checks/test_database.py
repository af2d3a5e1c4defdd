from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import OperationalError

from files import checks
from files.checks import check_database, database_messages
from files.tests.new_databases import make_tables, run

pytestmark = pytest.mark.live


def found(connection) -> dict[str, str]:
    """Return the ids of the messages and their hints."""
    return {str(message.id): str(message.hint) for message in database_messages(connection)}


@pytest.mark.django_db
def test_database_of_these_tests_is_fine(django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        assert not check_database(databases=["default"])


def test_nothing_is_asked_where_no_database_is_named():
    assert check_database(databases=None) == []


def test_sqlite_is_asked_nothing():
    assert database_messages(SimpleNamespace(vendor="sqlite")) == []  # type: ignore[arg-type]


def test_new_mysql_database_is_fine(mysql_url, opened):
    mysql = opened(mysql_url)
    assert found(mysql) == {}
    make_tables(mysql)
    assert found(mysql) == {}


def test_new_postgresql_database_is_fine(postgresql_url, opened):
    postgresql = opened(postgresql_url)
    assert found(postgresql) == {}
    make_tables(postgresql)
    assert found(postgresql) == {}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("sql_mode=ANSI", "files.E011"),
        ("sql_mode=TRADITIONAL", ""),
        ("sql_mode=STRICT_ALL_TABLES%2CNO_BACKSLASH_ESCAPES", "files.E012"),
        ("charset=latin1", "files.E014"),
    ],
)
def test_options_of_the_address_are_seen(mysql_url, opened, options, expected):
    assert set(found(opened(f"{mysql_url}?{options}"))) == ({expected} - {""})


def test_charset_of_a_mysql_database_is_mended_as_told(mysql_url, opened):
    mysql = opened(mysql_url)
    run(mysql, f"ALTER DATABASE `{mysql.settings_dict['NAME']}` CHARACTER SET latin1")
    mysql.close()
    hints = found(mysql)
    assert set(hints) == {"files.E013"}
    run(mysql, hints["files.E013"].removeprefix("Run: ").partition(";")[0])
    assert found(mysql) == {}


def test_tables_without_transactions_are_told_and_mended(mysql_url, opened):
    mysql = opened(mysql_url)
    make_tables(mysql)
    run(mysql, "ALTER TABLE content ENGINE=MyISAM; SET default_storage_engine = MyISAM")
    hints = found(mysql)
    assert set(hints) == {"files.E015", "files.E016"}
    run(mysql, hints["files.E016"].removeprefix("Run: "))
    assert set(found(mysql)) == {"files.E015"}


def test_columns_of_mysql_that_take_two_names_for_one_are_mended_as_told(mysql_url, opened):
    mysql = opened(mysql_url)
    make_tables(mysql)
    run(mysql, "ALTER TABLE label MODIFY name varchar(100) COLLATE utf8mb4_general_ci NOT NULL")
    run(mysql, "ALTER TABLE content MODIFY state varchar(16) CHARACTER SET latin1 NOT NULL")
    hints = found(mysql)
    assert set(hints) == {"files.E017"}
    run(mysql, hints["files.E017"].removeprefix("Run: "))
    assert found(mysql) == {}


def test_columns_of_postgresql_that_sort_by_language_are_mended_as_told(postgresql_url, opened):
    postgresql = opened(postgresql_url)
    make_tables(postgresql)
    run(postgresql, 'ALTER TABLE label ALTER name TYPE varchar(100) COLLATE "und-x-icu"')
    hints = found(postgresql)
    assert set(hints) == {"files.E017"}
    run(postgresql, hints["files.E017"].removeprefix("Run: "))
    assert found(postgresql) == {}


def test_encoding_that_cannot_keep_all_names_is_told(postgresql_url, opened):
    postgresql = opened(postgresql_url)
    name = f"{postgresql.settings_dict['NAME']}_ascii"
    run(postgresql, f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        assert "files.E018" in found(opened(f"{postgresql_url}_ascii"))
    finally:
        run(postgresql, f"DROP DATABASE {name} WITH (FORCE)")


def test_limit_of_a_postgresql_database_is_told(postgresql_url, opened, settings):
    postgresql = opened(postgresql_url)
    run(postgresql, f"ALTER DATABASE {postgresql.settings_dict['NAME']} CONNECTION LIMIT 9")
    (message,) = database_messages(postgresql)
    assert message.id == "files.W010"
    assert "may open 35 connections" in message.msg and "allows 9" in message.msg
    assert "FILESERVER_DATABASE_CONNECTIONS to 3;" in str(message.hint)
    settings.FILESERVER_DATABASE_CONNECTIONS = 3
    assert found(postgresql) == {}


def test_limit_of_mysql_is_told(mysql_url, opened, settings):
    mysql = opened(mysql_url)
    with mysql.cursor() as cursor:
        cursor.execute("SELECT @@max_connections")
        (allowed,) = cursor.fetchone()
    settings.FILESERVER_DATABASE_CONNECTIONS = allowed
    assert "max_connections" in found(mysql)["files.W010"]


def test_server_that_is_away_raises_its_error(opened):
    for url in ("mysql://root@127.0.0.1:1/none", "postgres://postgres@127.0.0.1:1/none"):
        with pytest.raises(OperationalError):
            database_messages(opened(url))


def test_every_check_of_a_database_is_documented():
    sources = Path(checks.__file__).parent.glob("*.py")
    ids = set(re.findall(r"files\.([EW]01\d)", "".join(path.read_text() for path in sources)))
    page = Path(settings.BASE_DIR, "docs", "databases.md").read_text(encoding="utf-8")
    assert len(ids) > 5
    assert not [one for one in sorted(ids) if one not in page]
