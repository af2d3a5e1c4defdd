"""A small HTTP client for the checks: it sees early answers and says who gave an answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from files.doctor.proxies import hint

# What a broken connection is told by.
FAILURES = (OSError, http.client.HTTPException)
TIMEOUT_S = 60.0
# An early refusal may be sent only when the server has drained the body for 2 s.
EARLY_S = 5.0
PIECE = 64 << 10


class UnknownAddressError(ValueError):
    """The text is no address of a server."""


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: Message
    body: bytes
    seconds: float

    @property
    def is_from_server(self) -> bool:
        """Tell whether the file server itself answered, and not something before it."""
        return "X-Request-ID" in self.headers

    @property
    def from_whom(self) -> str:
        """Return who answered, in words."""
        if self.is_from_server:
            return "the file server"
        name = self.headers.get("Server") or self.headers.get("Via") or ""
        return f"a proxy before the file server ({name})" if name else "a proxy before the server"

    def json(self) -> Any:
        """Return the body as JSON, {} where it is none."""
        with contextlib.suppress(ValueError):
            return json.loads(self.body)
        return {}


class Client:
    """Talks to one server, a connection for each request."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError as error:
            raise UnknownAddressError(f"{url}: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnknownAddressError(f"{url} is no address like https://files.example.org/")
        self.scheme, self.host = parts.scheme, parts.hostname
        self.netloc = parts.netloc.rpartition("@")[2]
        self.port = port or {"http": 80, "https": 443}[parts.scheme]
        self.prefix = parts.path.rstrip("/")
        # What the answers say they came from or through: "nginx/1.22.1".
        self.seen = ""

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.prefix}/"

    def hint(self, about: str) -> str:
        """Return what to set against something in the proxy that answered so far."""
        return hint(about, self.seen)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, stopping in mid-body when the answer comes first.

        Raises OSError or HTTPException where the connection fails.
        """
        start = time.monotonic()
        connection = self._connection()
        with contextlib.closing(connection):
            self._send_head(connection, method, path, headers or {}, body)
            if body:
                self._send_body(connection, body)
            response = connection.getresponse()
            content = response.read()
        self.seen = f"{response.headers.get('Server', '')} {response.headers.get('Via', '')}"
        return Answer(response.status, response.headers, content, time.monotonic() - start)

    def first_status(self, path: str, headers: Mapping[str, str], size: int, sent: bytes) -> int:
        """PUT a body of `size` bytes of which only `sent` are sent; return the first status
        line's number, 0 where none comes within EARLY_S.
        """
        connection = self._connection()
        with contextlib.closing(connection):
            all_headers = dict(headers) | {"Content-Length": str(size)}
            self._send_head(connection, "PUT", path, all_headers, None)
            connection.sock.settimeout(EARLY_S)
            try:
                if sent:
                    connection.send(sent)
                line = connection.sock.recv(64)
            except TimeoutError:
                return 0
        words = line.split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    def _connection(self) -> http.client.HTTPConnection:
        if self.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=TIMEOUT_S, context=context
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)

    def _send_head(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> None:
        connection.putrequest(method, self.prefix + path, skip_host=True)
        connection.putheader("Host", self.netloc)
        connection.putheader("Connection", "close")
        connection.putheader("User-Agent", "fileserver-doctor")
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()

    def _send_body(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        view = memoryview(body)
        # A refused body is cut off: what was answered before can still be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for at in range(0, len(view), PIECE):
                if select.select([connection.sock], [], [], 0)[0] and not _is_tls(connection.sock):
                    return
                connection.send(view[at : at + PIECE])


def _is_tls(sock: socket.socket) -> bool:
    """Tell whether readable bytes may be TLS's own, a session ticket, and no answer."""
    return isinstance(sock, ssl.SSLSocket)


def is_loopback(host: str) -> bool:
    """Tell whether the name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def in_words(error: Exception) -> str:
    """Return what went wrong with a connection, as a part of a sentence."""
    if isinstance(error, TimeoutError):
        return "nothing comes for a minute"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    return str(error).rstrip(".") or type(error).__name__
