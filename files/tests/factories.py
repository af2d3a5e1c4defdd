"""Makes rows for tests, through the same service as every door."""

from __future__ import annotations

import itertools

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.models import File
from files.services import uploads

_numbers = itertools.count(1)


def make_file(
    data: bytes | None = None,
    *,
    name: str = "",
    folder: str = "",
    actor: Actor = SYSTEM,
    piece: int = 1 << 20,
) -> File:
    """Store `data` (by default a few bytes of its own), fed in pieces of `piece` bytes."""
    number = next(_numbers)
    content = b"file number %d" % number if data is None else data
    incoming = uploads.begin(
        actor=actor,
        space_id=DEFAULT_SPACE_ID,
        name=name or f"file {number}.txt",
        folder=folder,
    )
    for start in range(0, len(content), piece):
        uploads.append(incoming, content[start : start + piece])
    return uploads.commit(incoming)
