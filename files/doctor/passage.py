"""Sends a probe to the server and back, through whatever stands between.

Entry point: passage. The probe is deleted at the end, for good where this machine's
database is the server's.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from urllib.parse import urlsplit

from files.doctor.cleanup import removed_for_good
from files.doctor.client import FAILURES, PIECE, Client, in_words, is_loopback
from files.doctor.findings import Finding, ok, problem, size, warning
from files.doctor.probe import Probe, digest_header, upload
from files.doctor.reach import reach

PROBE_BYTES = 20 << 20


def passage(client: Client, limit: int | None = None) -> Generator[Finding, None, None]:
    """Run all checks through HTTP; `limit` is the server's own on uploads, in bytes."""
    is_there = yield from reach(client)
    if not is_there:
        return
    probe = yield from upload(client, min(PROBE_BYTES, limit or PROBE_BYTES))
    if probe is None:
        return
    try:
        for check in (_forwarded, _download, _range, _tags, _expect, _streaming):
            try:
                yield from check(probe)
            except FAILURES as error:
                yield problem(
                    "Connection",
                    f"It broke: {in_words(error)}.",
                    probe.client.hint("time-outs"),
                )
    finally:
        removed = list(_remove(probe))
    yield from removed


def _forwarded(probe: Probe) -> Iterator[Finding]:
    """Look whether the server knows under which address it was asked."""
    client, told = probe.client, urlsplit(probe.download_url)
    if (told.scheme, told.netloc) == (client.scheme, client.netloc):
        yield ok("Addresses", f"The server knows that it is {client.scheme}://{client.netloc}.")
        return
    yield warning(
        "Addresses",
        f"The server takes itself for {told.scheme}://{told.netloc}; links in its answers lead "
        "there.",
        "Set FILESERVER_TRUSTED_PROXIES to the proxy's address, and let it pass on what it was "
        f"asked for. {client.hint('headers')}",
    )


def _download(probe: Probe) -> Iterator[Finding]:
    answer = probe.client.ask("GET", f"/download/{probe.id}", headers={"Accept-Encoding": "gzip"})
    length = len(probe.data)
    if encoding := answer.headers.get("Content-Encoding"):
        yield warning(
            "Download",
            f"A proxy compresses it ({encoding}).",
            probe.client.hint("compression"),
        )
    elif (answer.status, answer.body) == (200, probe.data):
        yield ok(
            "Download",
            f"{size(length)} come back whole ({length / 1e6 / answer.seconds:,.0f} MB/s).",
        )
    else:
        yield problem(
            "Download",
            f"Status {answer.status} with {len(answer.body):,} bytes instead of {length:,}.",
            "See the logs of the proxy and of the server.",
        )


def _range(probe: Probe) -> Iterator[Finding]:
    answer = probe.client.ask("GET", f"/download/{probe.id}", headers={"Range": "bytes=1000-1999"})
    if (answer.status, answer.body) == (206, probe.data[1000:2000]):
        yield ok("Ranges", "A part can be asked for: downloads can go on where they broke off.")
    else:
        yield problem(
            "Ranges",
            f"A part was asked for; status {answer.status} with {len(answer.body):,} bytes came.",
            probe.client.hint("ranges"),
        )


def _tags(probe: Probe) -> Iterator[Finding]:
    head = probe.client.ask("HEAD", f"/download/{probe.id}")
    tag, expected = head.headers.get("ETag", "none"), f'"{probe.hash}"'
    if tag != expected:
        yield problem(
            "ETag",
            f"It comes as {tag} instead of {expected}.",
            probe.client.hint("compression"),
        )
        return
    again = probe.client.ask("GET", f"/download/{probe.id}", headers={"If-None-Match": tag})
    if again.status == 304:
        yield ok("ETag", "It is kept, and what a browser has is not sent again.")
    else:
        yield warning(
            "ETag",
            f"A file that is known is answered {again.status}.",
            probe.client.hint("ranges"),
        )
    if head.headers.get("Content-Length") != str(len(probe.data)):
        yield warning("ETag", "HEAD does not tell the size.", probe.client.hint("compression"))


def _expect(probe: Probe) -> Iterator[Finding]:
    """Announce bytes that are there already: the refusal should come before they are sent."""
    headers = digest_header(probe.data) | {"Expect": "100-continue"}
    status = probe.client.first_status("/upload/doctor-probe", headers, len(probe.data), b"")
    if status == 409:
        yield ok("Expect: 100-continue", "What is refused need not be sent.")
    elif status == 100:
        yield ok(
            "Expect: 100-continue",
            "A proxy answers it by itself: what is refused is sent in vain, nothing worse.",
        )
    else:
        yield warning(
            "Expect: 100-continue",
            f"It is answered {status}." if status else "It is not answered.",
            "curl waits a second before each upload; look for a proxy that removes or refuses it.",
        )


def _streaming(probe: Probe) -> Iterator[Finding]:
    """Send the start of a body: does the server hear of it before the end?"""
    status = probe.client.first_status(
        "/upload/doctor-probe", digest_header(probe.data), len(probe.data), probe.data[:PIECE]
    )
    if status == 409:
        yield ok("Buffering", "Uploads reach the server as they come.")
    else:
        yield warning(
            "Buffering",
            "A proxy takes a whole upload in before the server hears of it: that costs its disk "
            "and twice the time, and refusals come late.",
            probe.client.hint("buffering"),
        )


def _remove(probe: Probe) -> Iterator[Finding]:
    """Delete the probe by HTTP, and for good where its database is at hand."""
    deleted = False
    try:
        answer = probe.client.ask("DELETE", f"/delete/{probe.id}")
        deleted = answer.status == 204
        text = f"It is answered {answer.status} by {answer.from_whom}."
        found = problem("DELETE", text, probe.client.hint("methods"))
    except FAILURES as error:
        found = problem(
            "DELETE", f"It breaks off: {in_words(error)}.", probe.client.hint("time-outs")
        )
    yield ok("DELETE", "It passes.") if deleted else found
    if removed_for_good(probe.id, probe.hash):
        return
    if not deleted:
        yield problem(
            "Probe", f"File {probe.id} (doctor-probe-….bin) is still there.", "Delete it yourself."
        )
    elif not is_loopback(probe.client.host):
        yield warning(
            "Probe",
            f"File {probe.id} (doctor-probe-….bin) may lie in that server's trash.",
            "It is emptied by itself; or delete it there for good.",
        )
