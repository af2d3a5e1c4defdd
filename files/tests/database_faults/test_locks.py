"""Others hold locks that a request needs: it is tried again, or refused for now."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from files.tests.database_faults.clients import is_refused_for_now
from files.tests.database_servers import DatabaseServer
from files.tests.live_databases import connect
from files.tests.running_server import Answer, RunningServer, ask, wait_until

MIB = 1 << 20
# As part of an address.
SHORT_WAIT = {
    "mysql": "?init_command=SET%20SESSION%20innodb_lock_wait_timeout=1",
    "postgres": "?options=-c%20lock_timeout%3D1s",
}
WAITING = {
    "mysql": "SELECT 1 FROM information_schema.global_status WHERE variable_value > 0"
    " AND variable_name = 'Innodb_row_lock_current_waits'",
    "postgres": "SELECT 1 FROM pg_locks WHERE NOT granted",
}
# Of two in a deadlock MariaDB gives up the one that changed fewer rows.
MANY_CHANGES = {
    "mysql": "INSERT INTO django_session SELECT CONCAT('s', seq), '', NOW() FROM seq_1_to_500",
    "postgres": "SELECT 1",
}


@pytest.fixture
def impatient(server: RunningServer, database: DatabaseServer) -> Iterator[RunningServer]:
    """Start a server that waits for a lock for one second."""
    url = database.url + SHORT_WAIT[database.kind]
    other = RunningServer(server.data, "--workers", "1", DATABASE_URL=url)
    other.start()
    yield other
    other.kill()


@contextlib.contextmanager
def transaction(server: RunningServer) -> Iterator[Any]:
    """Begin a transaction beside the server and roll it back, unless that was done."""
    with contextlib.closing(connect(server.database_url)) as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        yield cursor
        cursor.execute("ROLLBACK")


def patch(server: RunningServer, file_id: int) -> Answer:
    headers = {"Content-Type": "application/json"}
    with server.connect() as connection:
        return ask(connection, "PATCH", f"/api/v1/files/{file_id}/", b'{"name": "b"}', headers)


def test_a_lock_that_is_held_for_too_long_is_a_clear_503(impatient):
    server = impatient
    data = os.urandom(2 * MIB)
    file_id = server.upload("a.bin", data).json()["id"]
    with transaction(server) as cursor:
        cursor.execute("SELECT id FROM file WHERE id = %s FOR UPDATE", (file_id,))
        assert is_refused_for_now(server.request("DELETE", f"/delete/{file_id}"))
        assert is_refused_for_now(patch(server, file_id))
        # PostgreSQL tells of the duplicate without the lock.
        again = server.upload("a.bin", data)
        assert again.status == 409 or is_refused_for_now(again)
        # Who only reads waits for nobody.
        assert server.request("GET", f"/download/{file_id}").body == data
    assert patch(server, file_id).json()["name"] == "b"
    assert server.request("DELETE", f"/delete/{file_id}").status == 204
    assert server.upload("a.bin", data).status == 200


def test_of_the_same_bytes_under_way_twice_one_upload_waits_or_is_refused(impatient):
    server = impatient
    data = os.urandom(1000)
    one = server.upload("a.bin", data).json()
    server.request("DELETE", f"/delete/{one['id']}")
    with transaction(server) as cursor:
        cursor.execute("UPDATE file SET deleted_at = NULL WHERE id = %s", (one["id"],))
        assert is_refused_for_now(server.upload("b.bin", data))
    assert server.upload("b.bin", data).status == 200


def test_a_deadlock_is_tried_again(server, database):
    data = os.urandom(2 * MIB)
    file_id = server.upload("a.bin", data).json()["id"]
    ((content_id,),) = server.query("SELECT content_id FROM file WHERE id = %s", file_id)
    answers: list[Answer] = []
    # Without a trash, a delete locks the file and then its content.
    purging = RunningServer(
        server.data, "--workers", "1", DATABASE_URL=database.url, FILESERVER_TRASH_DAYS="0"
    )
    purging.start()
    delete = threading.Thread(
        target=lambda: answers.append(purging.request("DELETE", f"/delete/{file_id}"))
    )
    try:
        with transaction(server) as cursor:
            cursor.execute(MANY_CHANGES[database.kind])
            cursor.execute("SELECT id FROM content WHERE id = %s FOR UPDATE", (content_id,))
            delete.start()
            wait_until(lambda: bool(database.query(WAITING[database.kind])), 30)
            # It is not this one that is given up, or an error would be raised here.
            cursor.execute("UPDATE file SET version = version + 1 WHERE id = %s", (file_id,))
        delete.join()
    finally:
        purging.kill()
    assert [answer.status for answer in answers] == [204]
    assert server.files() == []
