"""Is the server there, and does it know the name it is called by? Entry point: reach."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Generator, Iterator
from email.utils import parsedate_to_datetime

from files.doctor.client import FAILURES, Answer, Client, in_words, is_loopback
from files.doctor.findings import Finding, ok, problem, warning

CLOCK_S = 60.0


def reach(client: Client) -> Generator[Finding, None, bool]:
    """Ask whether the server is there and knows this name."""
    try:
        answer = client.ask("GET", "/healthz")
    except FAILURES as error:
        yield problem(
            "Server", f"{client.url} cannot be reached: {in_words(error)}.", _reach_hint(error)
        )
        return False
    if answer.status == 200 and answer.is_from_server:
        yield ok("Server", f"{client.url} answers, and knows the name {client.netloc}.")
        yield from _surroundings(client, answer)
        return True
    yield _not_there(client, answer)
    return False


def _not_there(client: Client, answer: Answer) -> Finding:
    text = f"{client.url}healthz is answered {answer.status} by {answer.from_whom}."
    if location := answer.headers.get("Location"):
        return problem("Server", text, f"It sends to {location}: try --url with that address.")
    if answer.status == 400 and answer.is_from_server:
        return problem(
            "Server",
            f"{text} It does not know the name {client.netloc}.",
            f"Add {client.host} to FILESERVER_ALLOWED_HOSTS, and let the proxy pass the name on. "
            + client.hint("headers"),
        )
    if answer.status in (502, 503, 504):
        return problem("Server", f"{text} It cannot reach it.", client.hint("upstream"))
    return problem(
        "Server",
        f"{text} That is not the file server.",
        "Look at the address, and at FILESERVER_URL_PREFIX if a proxy publishes it under a path.",
    )


def _surroundings(client: Client, answer: Answer) -> Iterator[Finding]:
    if client.scheme == "http" and not is_loopback(client.host):
        yield warning(
            "Encryption",
            "Files and passwords pass in the clear.",
            "Put a proxy with TLS before it.",
        )
    try:
        date = parsedate_to_datetime(answer.headers["Date"])
    except (TypeError, ValueError):
        return
    if abs(date.timestamp() - time.time()) > CLOCK_S:
        yield warning("Clock", f"The server's says {date:%Y-%m-%d %H:%M:%S}.", "Use NTP on both.")


def _reach_hint(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "Look at the name, and at the DNS."
    if isinstance(error, ssl.SSLError):
        return "Let the proxy have a certificate for this name, with its chain."
    if isinstance(error, ConnectionRefusedError):
        return "Nothing listens there: start the server or the proxy, or look at the port."
    return "Look at the address, the proxy and the firewall."
