"""Checks of a MySQL or MariaDB server, by what one of our connections has."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error
from django.db.backends.base.base import BaseDatabaseWrapper

from files.checks.connections import connection_messages

# A chunk is 1 MiB, up to twice that when its bytes are escaped, and the statement around it.
MIN_PACKET = 4 << 20
STRICT = ("STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "TRADITIONAL")
CHARSET = "utf8mb4"
ENGINE = "InnoDB"

_VARIABLES = (
    "SELECT @@max_allowed_packet, @@sql_mode, @@character_set_database,"
    " @@character_set_connection, @@default_storage_engine, @@max_connections,"
    " @@max_user_connections, DATABASE()"
)
_OTHER_ENGINES = (
    "SELECT table_name, engine FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> %s"
    " ORDER BY table_name"
)


def mysql_messages(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """Return what is wrong with the server's settings and with the tables' engines."""
    with connection.cursor() as cursor:
        cursor.execute(_VARIABLES)
        packet, mode, charset, own_charset, engine, total, each, name = cursor.fetchone()
        cursor.execute(_OTHER_ENGINES, [ENGINE])
        strangers = [(str(table), str(other)) for table, other in cursor.fetchall()]
    # 0 is no limit.
    by_user = 0 < int(each) < int(total)
    return [
        *_packet(int(packet)),
        *_mode(str(mode)),
        *_charsets(str(name), str(charset), str(own_charset)),
        *_engines(str(engine), strangers),
        *connection_messages(
            int(each) if by_user else int(total),
            limit="max_user_connections" if by_user else "max_connections",
        ),
    ]


def _packet(packet: int) -> Iterator[CheckMessage]:
    if packet < MIN_PACKET:
        yield Error(
            f"MySQL's max_allowed_packet is {packet:,} bytes; storing a chunk of a file takes "
            f"up to {MIN_PACKET:,}, so that uploads would fail.",
            hint=(
                "Put `max_allowed_packet = 16M` into the section [mysqld] of my.cnf and restart "
                "the database, or run SET GLOBAL max_allowed_packet = 16777216 and put it there "
                "for the next start."
            ),
            id="files.E010",
        )


def _mode(mode: str) -> Iterator[CheckMessage]:
    if not any(name in mode.split(",") for name in STRICT):
        yield Error(
            "MySQL's strict mode is off: values that are too long would be cut off in silence.",
            hint=(
                "Leave sql_mode out of DATABASE_URL and out of init_connect, or add "
                "STRICT_TRANS_TABLES to it."
            ),
            id="files.E011",
        )
    if "NO_BACKSLASH_ESCAPES" in mode.split(","):
        yield Error(
            "MySQL's sql_mode has NO_BACKSLASH_ESCAPES: bytes of files would be stored wrongly.",
            hint="Leave it out of the sql_mode of DATABASE_URL.",
            id="files.E012",
        )


def _charsets(name: str, charset: str, own_charset: str) -> Iterator[CheckMessage]:
    if charset != CHARSET:
        yield Error(
            f"The charset of the database {name} is {charset}: tables made in it cannot keep "
            "all names.",
            hint=(
                f"Run: ALTER DATABASE `{name}` CHARACTER SET {CHARSET}; "
                "it holds for tables that are made from then on."
            ),
            id="files.E013",
        )
    if own_charset != CHARSET:
        yield Error(
            f"The charset of the connection is {own_charset}: names in some scripts, and emoji, "
            "cannot be stored.",
            hint=f"Leave the charset out of DATABASE_URL, or set it to {CHARSET}.",
            id="files.E014",
        )


def _engines(default: str, strangers: list[tuple[str, str]]) -> Iterator[CheckMessage]:
    if default != ENGINE:
        yield Error(
            f"MySQL makes new tables in {default}, which may know no transactions: "
            "half an upload could stay.",
            hint=f"Put `default_storage_engine = {ENGINE}` into the section [mysqld] of my.cnf.",
            id="files.E015",
        )
    if strangers:
        table, engine = strangers[0]
        yield Error(
            f"{len(strangers)} tables are not in {ENGINE} ({table} is in {engine}): "
            "a change of them cannot be taken back.",
            hint=" ".join(f"ALTER TABLE `{table}` ENGINE={ENGINE};" for table, _ in strangers),
            id="files.E016",
        )
