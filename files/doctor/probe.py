"""The probe: random bytes under a clear name, uploaded through whatever is before the server.

Entry point: upload.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Generator
from dataclasses import dataclass

from files.doctor.client import FAILURES, Answer, Client, in_words
from files.doctor.findings import Finding, ok, problem, size, warning

# Where a proxy lets no more through, the other checks are made with this.
SMALL_BYTES = 256 << 10
_BLOCKED = (403, 405, 501)


@dataclass(frozen=True)
class Probe:
    """The bytes that were uploaded, and as which file."""

    client: Client
    data: bytes
    id: int
    download_url: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def upload(client: Client, length: int) -> Generator[Finding, None, Probe | None]:
    """Upload a probe; once more a small one where a proxy takes no such long body."""
    data = secrets.token_bytes(length)
    name = f"doctor-probe-{secrets.token_hex(4)}.bin"
    try:
        answer = client.ask("PUT", f"/upload/{name}", data)
    except FAILURES as error:
        yield problem(
            "Upload",
            f"{size(length)} break off: {in_words(error)}.",
            client.hint("time-outs"),
        )
        return _found_again(client, name, data)
    if answer.status == 200:
        file = answer.json()
        yield ok(
            "Upload",
            f"{size(length)} arrive ({length / 1e6 / answer.seconds:,.0f} MB/s); PUT passes.",
        )
        return Probe(client, data, int(file["id"]), str(file["download_url"]))
    yield _refused(client, answer, length)
    if answer.status == 413 and length > SMALL_BYTES:
        return (yield from upload(client, SMALL_BYTES))
    return None if answer.is_from_server else _found_again(client, name, data)


def _refused(client: Client, answer: Answer, length: int) -> Finding:
    text = f"{size(length)} are answered {answer.status} by {answer.from_whom}."
    if answer.is_from_server:
        detail = str(answer.json().get("detail", ""))
        if answer.status in (401, 403):
            return warning(
                "Upload",
                f"Bodies of {size(length)} reach the server, which wants an account. What comes "
                "back cannot be tried.",
                "Try again with FILESERVER_ACCESS=open while only this machine can reach it.",
            )
        return problem("Upload", f"{text} {detail}", "See the server's log.")
    if answer.status == 413:
        return problem(
            "Upload", f"{text} It lets only shorter bodies through.", client.hint("body size")
        )
    if answer.status in _BLOCKED:
        return problem("Upload", f"{text} It does not let PUT through.", client.hint("methods"))
    about = "time-outs" if answer.status in (408, 499, 504) else "upstream"
    return problem("Upload", text, client.hint(about))


def _found_again(client: Client, name: str, data: bytes) -> Probe | None:
    """Return the probe if it was stored though its answer was lost.

    An announced digest is looked up before the body, which is another one here.
    """
    try:
        answer = client.ask("PUT", f"/upload/{name}", b"", digest_header(data))
    except FAILURES:
        return None
    existing = answer.json().get("existing") if answer.status == 409 else None
    if not existing:
        return None
    return Probe(client, data, int(existing["id"]), str(existing["download_url"]))


def digest_header(data: bytes) -> dict[str, str]:
    """Return the header that announces these bytes."""
    text = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {"Repr-Digest": f"sha-256=:{text}:"}
