"""Whatever is asked while the database is away, the answer is a clear 503."""

from __future__ import annotations

import os

import pytest

from files.tests.database_faults.clients import (
    FORM,
    HTML,
    is_refused_for_now,
    seconds_until_ready,
    sign_in,
)
from files.tests.database_faults.conftest import READY_S
from files.tests.running_server import BOUNDARY, ask, form_around

# What strangers are answered to without a query: the admin sends them to its sign-in page.
STRANGERS_NEED_NONE = ("/add/", "/admin/", "/api/schema/")
ASKED = (
    ("GET", "/"),
    ("GET", "/view/{0}/"),
    ("GET", "/view/{0}/delete/"),
    ("GET", "/add/"),
    ("GET", "/files"),
    ("GET", "/download/{0}"),
    ("HEAD", "/download/{0}"),
    ("DELETE", "/delete/{0}"),
    ("PUT", "/upload/new.bin"),
    ("POST", "/upload"),
    ("GET", "/api/v1/files/"),
    ("GET", "/api/v1/files/{0}/"),
    ("PATCH", "/api/v1/files/{0}/"),
    ("GET", "/api/v1/labels/"),
    ("POST", "/api/v1/labels/"),
    ("GET", "/api/v1/stats/"),
    ("GET", "/api/v1/types/"),
    ("GET", "/api/schema/"),
    ("GET", "/admin/"),
    ("GET", "/admin/login/"),
    ("POST", "/admin/login/"),
    ("GET", "/admin/files/file/"),
    ("GET", "/admin/files/file/{0}/change/"),
    ("GET", "/readyz"),
)


def request_of(method: str, path: str, cookie: str) -> tuple[bytes | None, dict[str, str]]:
    """Return a body and headers that the address understands."""
    token = cookie.partition("csrftoken=")[2].partition(";")[0]
    own = {"X-CSRFToken": token, "Cookie": f"csrftoken={token}"}
    if method in ("GET", "HEAD"):
        return None, {}
    if path == "/upload":
        head, tail = form_around("new.bin")
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return head + os.urandom(100) + tail, own | {"Content-Type": kind}
    if path == "/admin/login/":
        return b"username=someone&password=something", own | FORM
    if method == "PUT":
        return os.urandom(100), own
    return b'{"name": "new"}', own | {"Content-Type": "application/json"}


@pytest.fixture(scope="package")
def cookie(its_server) -> str:
    return sign_in(its_server)


@pytest.mark.parametrize("accept", [HTML, {"Accept": "application/json"}], ids=["page", "program"])
@pytest.mark.parametrize("is_known", [False, True], ids=["stranger", "operator"])
def test_every_address_answers_503(server, database, cookie, is_known, accept):
    file_id = server.upload("there.txt", b"there").json()["id"]
    database.kill()
    wrong = []
    with server.connect() as connection:
        for method, pattern in ASKED:
            path = pattern.format(file_id)
            body, headers = request_of(method, path, cookie)
            if is_known:
                headers["Cookie"] = cookie
            answer = ask(connection, method, path, body, accept | headers)
            needs_none = not is_known and method == "GET" and path.startswith(STRANGERS_NEED_NONE)
            expected = answer.status in (200, 302) if needs_none else is_refused_for_now(answer)
            if not expected and not (method == "HEAD" and answer.status == 503):
                wrong.append((method, path, answer.status, answer.body[:200]))
        assert ask(connection, "GET", "/healthz", headers={"Cookie": cookie}).status == 200
    assert wrong == []
    database.start()
    assert seconds_until_ready(server, READY_S) < READY_S
    assert server.request("GET", f"/download/{file_id}").body == b"there"


def test_nothing_of_it_reaches_the_client_and_a_line_each_the_log(server, database):
    database.kill()
    before = server.log.read_text(encoding="utf-8")
    answer = server.request("GET", "/files")
    problem = answer.json()
    assert problem["detail"] == "The database is away for the moment. Please try again."
    assert problem["code"] == "storage_busy"
    assert str(database.port) not in answer.body.decode()
    lines = server.log.read_text(encoding="utf-8").removeprefix(before).splitlines()
    assert len([line for line in lines if problem["request_id"] in line]) == 1
    assert not [line for line in lines if "Traceback" in line]


def test_commands_end_with_a_sentence(server, database):
    database.kill()
    for arguments in (["migrate"], ["sweep"], ["verify_files"], ["file_stats"]):
        with server.begin(*arguments) as process:
            process.communicate(timeout=60)
        assert (arguments, process.returncode) == (arguments, 3)
