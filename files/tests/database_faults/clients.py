"""Clients that stop in the middle of a transfer, that sign in, and that wait for better times."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import time
import urllib.parse

from files.tests.running_server import BOUNDARY, REQUEST_S, Answer, RunningServer, ask, form_around

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NAME, PASSWORD = "operator", "correct horse 7 battery"  # noqa: S105  # of a test's own server


class SlowUpload:
    """An upload that waits wherever it is told to."""

    def __init__(self, server: RunningServer, data: bytes, *, as_form: bool) -> None:
        head, tail = form_around("slow.bin") if as_form else (b"", b"")
        self._body = memoryview(head + data + tail)
        self._sent = 0
        self._socket = _connected(server)
        line = "POST /upload" if as_form else "PUT /upload/slow.bin"
        kind = f"multipart/form-data; boundary={BOUNDARY}" if as_form else "text/plain"
        self._socket.sendall(
            f"{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(self._body)}\r\n\r\n".encode()
        )

    def send(self, size: int) -> None:
        """Send so many bytes more."""
        self._socket.sendall(self._body[self._sent : self._sent + size])
        self._sent += size

    def finish(self) -> Answer | None:
        """Send the rest and return the answer, None where the connection is cut without one."""
        with contextlib.closing(self._socket):
            # Who answers early need not read on.
            with contextlib.suppress(OSError):
                self.send(len(self._body) - self._sent)
            try:
                return _answer(self._socket)
            except (OSError, http.client.HTTPException):
                return None


class SlowDownload:
    """A download that takes no more than it is told to."""

    def __init__(self, server: RunningServer, path: str) -> None:
        self._socket = _connected(server, receive_bytes=1 << 16)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._response = http.client.HTTPResponse(self._socket)
        self._response.begin()
        self.status = self._response.status

    def read(self, size: int) -> bytes:
        return self._response.read(size)

    def finish(self) -> tuple[bytes, bool]:
        """Return the rest that comes, and whether it is all that was announced."""
        with contextlib.closing(self._socket):
            try:
                return self._response.read(), True
            except http.client.IncompleteRead as cut:
                return cut.partial, False
            except OSError:
                return b"", False


def sign_in(server: RunningServer) -> str:
    """Make an operator, sign in, and return the Cookie header."""
    server.environment |= {
        "DJANGO_SUPERUSER_USERNAME": NAME,
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "DJANGO_SUPERUSER_EMAIL": "operator@example.org",
    }
    server.manage("createsuperuser", "--noinput")
    with server.connect() as connection:
        page = ask(connection, "GET", "/admin/login/", headers=HTML)
        cookies = _cookies(page)
        token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
        assert token
        fields = {
            "csrfmiddlewaretoken": token[1].decode(),
            "username": NAME,
            "password": PASSWORD,
            "next": "/admin/",
        }
        body = urllib.parse.urlencode(fields).encode()
        answer = ask(connection, "POST", "/admin/login/", body, FORM | {"Cookie": _header(cookies)})
    assert answer.status == 302, answer.body
    return _header(cookies | _cookies(answer))


def seconds_until_ready(server: RunningServer, most_s: float) -> float:
    """Return after how long the server lists files again; raises TimeoutError."""
    begun = time.monotonic()
    while (waited_s := time.monotonic() - begun) < most_s:
        if server.request("GET", "/files").status == 200:
            return waited_s
        time.sleep(0.05)
    raise TimeoutError(f"not ready after {most_s:.0f} s")


def is_refused_for_now(answer: Answer) -> bool:
    """Tell whether it is a clear 503: in words or as a problem, with the time to wait."""
    kind = answer.headers["Content-Type"]
    return (
        answer.status == 503
        and answer.headers["Retry-After"].isdecimal()
        and (kind == "application/problem+json" or b"The database is " in answer.body)
        and b"Traceback" not in answer.body
    )


def _connected(server: RunningServer, receive_bytes: int | None = None) -> socket.socket:
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(REQUEST_S)
    connection.connect(("127.0.0.1", server.port))
    return connection


def _answer(connection: socket.socket) -> Answer:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Answer(response.status, response.read(), response.headers)


def _cookies(answer: Answer) -> dict[str, str]:
    pairs = (line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", []))
    return dict(pair.split("=", 1) for pair in pairs)


def _header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
