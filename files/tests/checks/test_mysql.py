from __future__ import annotations

from contextvars import copy_context

import pytest

from files.checks import mysql
from files.checks.connections import workers

WELL = (16 << 20, "STRICT_TRANS_TABLES", "utf8mb4", "utf8mb4", "InnoDB", 151, 0, "files")


class Server:
    """Answers the questions as a server with these variables does."""

    def __init__(self, variables: tuple[object, ...]) -> None:
        self.variables = variables

    def cursor(self) -> Server:
        return self

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None: ...

    def execute(self, statement: str, parameters: object = None) -> None: ...

    def fetchone(self) -> tuple[object, ...]:
        return self.variables

    def fetchall(self) -> list[object]:
        return []


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (0, mysql.MIN_PACKET, []),
        (0, mysql.MIN_PACKET - 1, ["files.E010"]),
        (5, 34, ["files.W010"]),
        (6, 34, ["files.W010"]),
        (6, 35, []),
    ],
)
def test_variables_that_a_session_cannot_change(place, value, expected):
    variables = (*WELL[:place], value, *WELL[place + 1 :])
    messages = mysql.mysql_messages(Server(variables))  # type: ignore[arg-type]
    assert [message.id for message in messages] == expected


def test_connections_are_counted_for_the_workers_that_are_to_be_started():
    allowing = Server((*WELL[:5], 130, *WELL[6:]))
    serving = copy_context()
    serving.run(workers.set, 8)
    (message,) = serving.run(mysql.mysql_messages, allowing)  # type: ignore[arg-type]
    assert "may open 131 connections to the database (8 workers with 16 each" in message.msg
    assert "FILESERVER_DATABASE_CONNECTIONS to 15;" in str(message.hint)


def test_line_for_the_configuration_is_told():
    (message,) = mysql.mysql_messages(Server((1 << 20, *WELL[1:])))  # type: ignore[arg-type]
    assert "1,048,576 bytes" in message.msg
    assert "`max_allowed_packet = 16M` into the section [mysqld]" in str(message.hint)
