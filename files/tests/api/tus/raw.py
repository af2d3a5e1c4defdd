"""A client of tus on bare sockets: what is sent is what is written here, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

COLLECTION = "/api/v1/uploads/"
PIECE_TYPE = "application/offset+octet-stream"
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: Message
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        """Return a header, None where it is missing."""
        return self.headers[name]

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Return what went wrong, by the name that programs know it by."""
        assert self["Content-Type"] == "application/problem+json"
        return str(self.json()["code"])


def head_of(method: str, path: str, headers: Mapping[str, str | None]) -> bytes:
    """Return the head of a request; None leaves out what every request has."""
    told: dict[str, str | None] = {"Host": "localhost", "Tus-Resumable": "1.0.0", **headers}
    lines = [f"{name}: {value}" for name, value in told.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer; raises OSError or HTTPException where the connection ends before."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return Answer(response.status, response.headers, response.read())


def metadata(**values: str | bytes) -> str:
    """Return `Upload-Metadata` of these keys and values."""
    return ",".join(
        f"{key} {base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()}"
        for key, value in values.items()
    )


def checksum(algorithm: str, data: bytes) -> str:
    """Return `Upload-Checksum` of a piece."""
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


class TusClient:
    """Asks one server, by a connection for each request."""

    def __init__(self, port: int, collection: str = COLLECTION) -> None:
        self.port = port
        self.collection = collection

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)

    def open(self, method: str, path: str, headers: Mapping[str, str | None]) -> socket.socket:
        """Send the head of a request, and return the connection."""
        connection = self.connect()
        connection.sendall(head_of(method, path, headers))
        return connection

    def ask(
        self,
        method: str,
        path: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request, its length told where it has a body, and read the answer."""
        told = dict(headers or {})
        if body is not None:
            told.setdefault("Content-Length", str(len(body)))
        with self.open(method, path or self.collection, told) as connection:
            connection.sendall(body or b"")
            return read_answer(connection, method)

    def post(self, headers: Mapping[str, str | None], body: bytes = b"") -> Answer:
        """Ask for a new upload."""
        first = {"Content-Type": PIECE_TYPE} if body else {}
        return self.ask("POST", None, {**first, **headers}, body)

    def create(self, size: int | None = None, **headers: str) -> str:
        """Return the address of a new upload; its length is deferred without a size."""
        length = {"Upload-Defer-Length": "1"} if size is None else {"Upload-Length": str(size)}
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.post({**length, **told})
        assert answer.status == 201, answer
        return str(answer["Location"])

    def head(self, path: str, headers: Mapping[str, str | None] | None = None) -> Answer:
        return self.ask("HEAD", path, headers)

    def offset(self, path: str) -> int:
        """Return how far an upload is."""
        return int(self.head(path)["Upload-Offset"] or "")

    def patch(
        self,
        path: str,
        offset: int,
        data: bytes = b"",
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """Send a piece."""
        told = {"Content-Type": PIECE_TYPE, "Upload-Offset": str(offset)}
        return self.ask("PATCH", path, {**told, **(headers or {})}, data)

    def begin_patch(self, path: str, offset: int, length: int, **headers: str) -> socket.socket:
        """Send the head of a piece, and return the connection."""
        told = {
            "Content-Type": PIECE_TYPE,
            "Content-Length": str(length),
            "Upload-Offset": str(offset),
        }
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.open("PATCH", path, {**told, **more})

    def state(self, path: str) -> Any:
        """Return what `GET` tells of an upload."""
        answer = self.ask("GET", path, {"Tus-Resumable": None})
        assert answer.status == 200, answer
        return answer.json()

    def bytes_of(self, path: str) -> bytes:
        """Return the bytes of the file that an upload became."""
        file = self.state(path)["file"]
        return self.ask("GET", f"/download/{file['id']}").body
