"""Resumable uploads as doors (see doors.py): each way of the protocol to bring a whole file.

Entry points: TUS_DOORS; through_tus and through_tus_parts, also for real servers.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from files.tests.doors import Ask, Door, Refused, Result, Sent, by_requests, told_by
from files.tests.running_server import Answer

UPLOADS = "/api/v1/uploads/"
VERSION = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}


def metadata_of(sent: Sent) -> dict[str, str]:
    """Return the header that names the file, and says of its type what nobody believes."""
    pairs = [
        f"{key} {base64.b64encode(value.encode()).decode()}".strip()
        for key, value in (("filename", sent.name), ("filetype", "text/plain"))
    ]
    return {"Upload-Metadata": ",".join(pairs)}


def asked(
    ask: Ask, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = VERSION
) -> Answer:
    """Return the answer to a request of the protocol; raises Refused."""
    answer = ask(method, path, body, VERSION | dict(headers))
    if answer.status >= 300:
        raise Refused(told_by(answer))
    return answer


def created(ask: Ask, headers: Mapping[str, str], body: bytes = b"") -> str:
    """Create an upload and return where it is."""
    kind = BYTES if body else {}
    return str(asked(ask, "POST", UPLOADS, body, {**headers, **kind}).headers["Location"])


def patched(ask: Ask, path: str, offset: int, data: bytes, **headers: str) -> int:
    """Send a piece, and return where the server says it is then."""
    place = BYTES | {"Upload-Offset": str(offset)}
    answer = asked(ask, "PATCH", path, data, place | headers)
    return int(answer.headers["Upload-Offset"])


def pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield three pieces of no even size, with their offsets; none of no bytes at all."""
    edges = sorted({0, len(data) // 3, len(data) - len(data) // 5, len(data)})
    for start, stop in zip(edges, edges[1:], strict=False):
        yield start, data[start:stop]


def became(ask: Ask, path: str) -> Result:
    """Return what the server tells of a finished upload."""
    told: dict[str, Any] = asked(ask, "GET", path).json()
    if told["state"] == "stored":
        return Result(told["file"]["id"])
    existing = told["existing"] or {}
    return Result(code=told["state"], existing_id=existing.get("id"))


def through_tus(ask: Ask, sent: Sent) -> Result:
    """Say how long it is, then send it in three pieces."""
    length = {"Upload-Length": str(len(sent.data))}
    path = created(ask, length | metadata_of(sent) | sent.digest_header)
    for offset, piece in pieces(sent.data):
        patched(ask, path, offset, piece)
    return became(ask, path)


def through_tus_at_once(ask: Ask, sent: Sent) -> Result:
    """Send all of it with the request that creates the upload."""
    length = {"Upload-Length": str(len(sent.data))}
    return became(ask, created(ask, length | metadata_of(sent) | sent.digest_header, sent.data))


def through_tus_deferred(ask: Ask, sent: Sent) -> Result:
    """Say how long it is only when all has been sent."""
    headers = {"Upload-Defer-Length": "1"} | metadata_of(sent) | sent.digest_header
    path = created(ask, headers)
    for offset, piece in pieces(sent.data):
        patched(ask, path, offset, piece)
    size = len(sent.data)
    patched(ask, path, size, b"", **{"Upload-Length": str(size)})
    return became(ask, path)


def through_tus_parts(ask: Ask, sent: Sent) -> Result:
    """Send it as two uploads, the second one first, and have them put together."""
    half = len(sent.data) // 2
    paths = [part_of(ask, part) for part in (sent.data[half:], sent.data[:half])]
    concat = {"Upload-Concat": f"final;{paths[1]} {paths[0]}"}
    return became(ask, created(ask, concat | metadata_of(sent) | sent.digest_header))


def part_of(ask: Ask, data: bytes) -> str:
    """Send a part and return where it is."""
    headers = {"Upload-Concat": "partial", "Upload-Length": str(len(data))}
    path = created(ask, headers)
    for offset, piece in pieces(data):
        patched(ask, path, offset, piece)
    return path


def told(send: Any, ask: Ask, sent: Sent) -> Result:
    """Return what became of it, also where one of the requests was refused."""
    try:
        result: Result = send(ask, sent)
    except Refused as refused:
        return refused.result
    return result


UNNAMED = "who gives no name, or an empty one, gets one made of the upload's id"
TUS_DOORS = tuple(
    Door(name, by_requests(partial(told, send)), {"empty name": UNNAMED})
    for name, send in (
        ("tus", through_tus),
        ("tus at once", through_tus_at_once),
        ("tus deferred", through_tus_deferred),
        ("tus parts", through_tus_parts),
    )
)
