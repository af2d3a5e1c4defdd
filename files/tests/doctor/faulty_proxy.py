"""A proxy before a server, set as badly as a test wants it; entry point: faulty_proxy."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from files.tests.running_server import http_connection


@dataclass
class Faults:
    """What the proxy does wrong. It always takes whole bodies in, as nginx does by default."""

    max_body: int | None = None  # bytes
    blocked: frozenset[str] = frozenset()  # methods
    dropped: frozenset[str] = frozenset()  # headers of requests
    added: Mapping[str, str] = field(default_factory=dict)  # headers of requests
    changed: Mapping[str, str] = field(default_factory=dict)  # headers of answers
    lost: frozenset[str] = frozenset()  # methods whose answers never arrive


class Handler(BaseHTTPRequestHandler):
    """Passes one request on."""

    protocol_version = "HTTP/1.1"
    server_version = "nginx/1.0"
    sys_version = ""
    port: int
    faults: Faults

    def pass_on(self) -> None:
        faults, length = self.faults, int(self.headers.get("Content-Length") or 0)
        self.close_connection = True
        if faults.max_body is not None and length > faults.max_body:
            self._refuse(413)
            return
        if self.command in faults.blocked:
            self._refuse(403)
            return
        body = self.rfile.read(length) if length else None
        headers = {name: text for name, text in self.headers.items() if name not in faults.dropped}
        with contextlib.closing(http_connection(self.port)) as connection:
            connection.request(self.command, self.path, body, headers | dict(faults.added))
            response = connection.getresponse()
            content = response.read()
        if self.command in faults.lost:
            return
        self.send_response(response.status)
        for name, text in (dict(response.getheaders()) | dict(faults.changed)).items():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, text)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_DELETE = pass_on

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()


@contextlib.contextmanager
def faulty_proxy(port: int, faults: Faults) -> Iterator[str]:
    """Run a proxy before the server at `port`; its address."""
    handler = type("Handler", (Handler,), {"port": port, "faults": faults})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
            thread.join()
