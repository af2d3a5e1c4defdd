"""A proxy that hands each request of a client to another server, and may strike in between.

Entry point: RequestDealer. A client that keeps its connection open, and has stored the address
of an upload, so comes to other processes all the same. At a chosen byte or answer the dealer
calls a function, to kill the client there.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

BLOCK = 1 << 18
HEAD_BYTES = 1 << 16
CONNECT_S = 5.0
# So long may a client go on sending when it is answered already.
LINGER_S = 2.0
RESET = struct.pack("ii", 1, 0)
NO_SERVER = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Strike:
    """What to do once so many bytes of bodies passed, or that answer is about to be passed on."""

    action: Callable[[], None]
    at_byte: int | None = None
    at_answer: int | None = None


@dataclass
class Dealt:
    """What passed so far."""

    requests: int = 0
    answers: int = 0
    open: int = 0  # requests that are being sent or answered
    body_bytes: int = 0
    resumed: int = 0  # requests that began behind the first byte
    elsewhere: int = 0  # requests that came to another server than the one before
    slowest_s: float = 0  # from the last that was sent to the server to its answer, or its end
    slowest: str = ""  # what was asked there


@dataclass
class Sent:
    """A request, and when its last byte so far was passed on."""

    asked: str
    at: float = field(default_factory=time.monotonic)
    is_over: bool = False


class RequestDealer:
    """Listens on a port of its own until it is closed; `ports` tells which servers are up."""

    def __init__(self, ports: Callable[[], list[int]], seed: int = 1) -> None:
        self.dealt = Dealt()
        self._ports = ports
        self._chance = random.Random(seed)
        self._last = 0
        self._strike: Strike | None = None
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port_of_last(self) -> int:
        """Return the port of the server that got the last request."""
        return self._last

    def __enter__(self) -> RequestDealer:
        return self

    def __exit__(self, *exception: object) -> None:
        # Closing alone does not wake a thread that is in `accept`.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def strike(
        self, action: Callable[[], None], *, in_bytes: int | None = None, in_answers: int = 1
    ) -> None:
        """Call `action` once, `in_bytes` from now, or just before that answer is passed on."""
        with self._lock:
            if in_bytes is None:
                self._strike = Strike(action, at_answer=self.dealt.answers + in_answers)
            else:
                self._strike = Strike(action, at_byte=self.dealt.body_bytes + in_bytes)

    def disarm(self) -> bool:
        """Take back the strike; return whether it had not come yet."""
        with self._lock:
            strike, self._strike = self._strike, None
        return strike is not None

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._deal, args=(client,), daemon=True).start()

    def _deal(self, client: socket.socket) -> None:
        """Pass one request on, and what is answered to it."""
        with client, contextlib.suppress(OSError):
            head, body = _read_head(client)
            server = self._connect() if head else None
            if head and server is None:
                client.sendall(NO_SERVER)
            if server is None:
                return
            with server:
                server.sendall(_closing(head))
                self._count(head)
                sent = Sent(head.split(b" HTTP/", 1)[0].decode("latin-1"))
                sender = threading.Thread(target=self._send, args=(body, client, server, sent))
                sender.start()
                has_answered = self._answer(server, client, sent)
                with self._lock:
                    self.dealt.open -= 1
                if has_answered:
                    sender.join(LINGER_S)
                if sender.is_alive():
                    # As the system does for a server that was killed: a client that sends would
                    # wait for ever for one that has only closed its side.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                sent.is_over = True
                for one, how in ((server, socket.SHUT_RDWR), (client, socket.SHUT_RD)):
                    with contextlib.suppress(OSError):
                        one.shutdown(how)
                sender.join()

    def _connect(self) -> socket.socket | None:
        """Return a connection to another server than the last one, if another is up."""
        ports = self._ports()
        with self._lock:
            self._chance.shuffle(ports)
            ports.sort(key=lambda port: port == self._last)
        for port in ports:
            with contextlib.suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", port), timeout=CONNECT_S)
                connection.settimeout(None)
                with self._lock:
                    self.dealt.elsewhere += port != self._last
                    self._last = port
                return connection
        return None

    def _count(self, head: bytes) -> None:
        offset = _header(head, b"upload-offset")
        with self._lock:
            self.dealt.requests += 1
            self.dealt.open += 1
            self.dealt.resumed += offset not in (b"", b"0")

    def _send(self, body: bytes, client: socket.socket, server: socket.socket, sent: Sent) -> None:
        """Pass the body on until either side has enough; then only take it."""
        is_wanted = True
        with contextlib.suppress(OSError):
            while not sent.is_over and (body or (body := client.recv(BLOCK))):
                if is_wanted:
                    self._passed(len(body))
                    try:
                        server.sendall(body)
                        sent.at = time.monotonic()
                    except OSError:
                        is_wanted = False
                body = b""
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket, sent: Sent) -> bool:
        """Pass the answer on; return whether there was one."""
        has_begun = False
        with contextlib.suppress(OSError):
            while block := server.recv(BLOCK):
                if not has_begun and not block.startswith(b"HTTP/1.1 100"):
                    has_begun = True
                    self._waited(sent)
                    self._answered()
                client.sendall(block)
            client.shutdown(socket.SHUT_WR)
        if not has_begun:
            self._waited(sent)
        return has_begun

    def _waited(self, sent: Sent) -> None:
        waited_s = time.monotonic() - sent.at
        with self._lock:
            if waited_s > self.dealt.slowest_s:
                self.dealt.slowest_s, self.dealt.slowest = waited_s, sent.asked

    def _passed(self, size: int) -> None:
        with self._lock:
            self.dealt.body_bytes += size
            strike = self._strike
            if strike is None or strike.at_byte is None:
                return
            if self.dealt.body_bytes < strike.at_byte:
                return
            self._strike = None
        strike.action()

    def _answered(self) -> None:
        with self._lock:
            self.dealt.answers += 1
            strike = self._strike
            if strike is None or strike.at_answer is None:
                return
            if self.dealt.answers < strike.at_answer:
                return
            self._strike = None
        strike.action()


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head, and what of its body came with it; b"" if it was cut."""
    received = b""
    while b"\r\n\r\n" not in received:
        block = client.recv(HEAD_BYTES)
        if not block or len(received) > HEAD_BYTES:
            return b"", b""
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def _closing(head: bytes) -> bytes:
    """Return the head of a request after which the connection is closed."""
    lines = [one for one in head.split(b"\r\n") if not one.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip()
    return b""
