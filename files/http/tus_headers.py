"""The headers of tus 1.0.0: what a request asks for by them, and what an answer tells.

Source: the protocol's text, https://tus.io/protocols/resumable-upload. Entry points:
`creation_of`, the `…_of` for single headers, and the `…_headers` for answers. What cannot be
read is refused with InvalidHeaderError.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from files.exceptions import (
    FileTooLargeError,
    InvalidHeaderError,
    UnsupportedVersionError,
    gettext_noop,
)
from files.http.digests import parse_digest

VERSION: Final = "1.0.0"
PIECE_TYPE: Final = "application/offset+octet-stream"
# Algorithms of `Upload-Checksum`, and the size of their digests in bytes.
CHECKSUMS: Final = {"sha1": 20, "sha256": 32}
# Characters of Upload-Metadata: room for the longest name and folder, four times over.
MAX_METADATA = 8 << 10
# What the database can hold, in bytes.
MAX_SIZE = (1 << 63) - 1

_NUMBER = re.compile(r"[0-9]+")
# What can be sent back as it came: no control characters, nothing that is not ASCII.
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
# Two headers would come as one, with a comma.
_PART = re.compile(r"(?:[^,;?#]*/)?([0-9a-f]{32})/?")

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Checksum:
    """What `Upload-Checksum` announces of a request's body."""

    algorithm: str
    digest: bytes

    def hasher(self) -> hashlib._Hash:
        """Return what computes it; not for security, which SHA-1 has none of."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """What a POST asks for."""

    size: int | None  # bytes; None: told later, or the sum of the parts
    name: str | None
    folder: str
    metadata: str  # as it came
    concat: str  # as it came
    digest: bytes | None  # SHA-256 of the whole

    @property
    def is_partial(self) -> bool:
        return self.concat == "partial"

    @property
    def is_final(self) -> bool:
        return self.concat.startswith("final;")


def require_version(headers: Headers) -> None:
    """Raise UnsupportedVersionError unless the client speaks the version that is spoken here."""
    version = headers.get("Tus-Resumable")
    if version is None:
        raise UnsupportedVersionError(
            gettext_noop("This request needs the header Tus-Resumable: %(ours)s."), ours=VERSION
        )
    if version != VERSION:
        raise UnsupportedVersionError(
            gettext_noop("Version “%(version)s” is not spoken here, only %(ours)s."),
            version=ascii(version)[1:-1][:40],
            ours=VERSION,
        )


def creation_of(headers: Headers) -> Creation:
    """Return what the headers of a POST ask for; they have to fit together."""
    metadata = headers.get("Upload-Metadata", "")
    name, folder = _place_of(metadata_of(metadata))
    concat = _concat_of(headers)
    return Creation(
        size=_size_of_new(headers, is_final=concat not in ("", "partial")),
        name=name,
        folder=folder,
        metadata=metadata,
        concat=concat,
        digest=parse_digest(headers.get("Repr-Digest", "")),
    )


def size_of(headers: Headers) -> int | None:
    """Return `Upload-Length` in bytes, None without one; raises FileTooLargeError, too."""
    size = _number(headers, "Upload-Length")
    if size is not None and size > MAX_SIZE:
        raise FileTooLargeError(
            gettext_noop("No upload can have more than %(limit)s bytes."), limit=f"{MAX_SIZE:,}"
        )
    return size


def offset_of(headers: Headers) -> int:
    """Return `Upload-Offset` in bytes."""
    offset = _number(headers, "Upload-Offset")
    if offset is None:
        raise InvalidHeaderError(gettext_noop("This request needs the header Upload-Offset."))
    # No upload is there, and the database shall not be asked what it cannot hold.
    return min(offset, MAX_SIZE)


def checksum_of(headers: Headers) -> Checksum | None:
    """Return `Upload-Checksum`, None without one."""
    field = headers.get("Upload-Checksum")
    if field is None:
        return None
    algorithm, _, encoded = field.partition(" ")
    if algorithm not in CHECKSUMS:
        raise InvalidHeaderError(
            gettext_noop("Upload-Checksum: “%(algorithm)s” is none of %(known)s."),
            algorithm=ascii(algorithm)[1:-1][:40],
            known=", ".join(CHECKSUMS),
        )
    digest = _decoded("Upload-Checksum", encoded)
    if len(digest) != CHECKSUMS[algorithm]:
        raise InvalidHeaderError(
            gettext_noop("Upload-Checksum: %(algorithm)s has %(wanted)s bytes, not %(size)s."),
            algorithm=algorithm,
            wanted=CHECKSUMS[algorithm],
            size=len(digest),
        )
    return Checksum(algorithm, digest)


def metadata_of(field: str) -> dict[str, bytes]:
    """Return the keys and values of `Upload-Metadata`; none where it is empty."""
    if len(field) > MAX_METADATA:
        raise InvalidHeaderError(
            gettext_noop("Upload-Metadata has %(length)s characters; the limit is %(limit)s."),
            length=f"{len(field):,}",
            limit=f"{MAX_METADATA:,}",
        )
    _require_printable("Upload-Metadata", field)
    pairs: dict[str, bytes] = {}
    for pair in field.split(",") if field.strip() else ():
        key, _, encoded = pair.strip(" ").partition(" ")
        if not key or key in pairs:
            raise InvalidHeaderError(
                gettext_noop("Upload-Metadata: the key “%(key)s” is empty, or there twice."),
                key=key[:40],
            )
        pairs[key] = _decoded("Upload-Metadata", encoded)
    return pairs


def part_id_of(address: str) -> str:
    """Return the id in the address of an upload, absolute or relative.

    Only its end counts: a proxy may have given host and prefix other names than are known here,
    and ids are the same everywhere.
    """
    part = _PART.fullmatch(address)
    if part is None:
        raise InvalidHeaderError(
            gettext_noop("Upload-Concat: “%(address)s” is the address of no upload."),
            address=address[:100],
        )
    return part[1]


def _size_of_new(headers: Headers, *, is_final: bool) -> int | None:
    size, deferred = size_of(headers), headers.get("Upload-Defer-Length")
    if deferred not in (None, "1"):
        raise InvalidHeaderError(gettext_noop("Upload-Defer-Length can only be 1."))
    told = (size is not None) + (deferred is not None)
    if is_final and told:
        raise InvalidHeaderError(
            gettext_noop("The length of a final upload is the sum of its parts'; send none.")
        )
    if not is_final and told != 1:
        raise InvalidHeaderError(
            gettext_noop("Send either Upload-Length, or Upload-Defer-Length: 1.")
        )
    return size


def _concat_of(headers: Headers) -> str:
    """Return `Upload-Concat` as it came, "" without one."""
    concat = headers.get("Upload-Concat")
    if concat is None or concat == "partial":
        return concat or ""
    _require_printable("Upload-Concat", concat)
    kind, _, addresses = concat.partition(";")
    parts = [part_id_of(address) for address in addresses.split(" ") if address]
    if kind != "final" or not parts:
        raise InvalidHeaderError(
            gettext_noop("Upload-Concat is either “partial” or “final;” and addresses of uploads.")
        )
    return concat


def _place_of(pairs: Mapping[str, bytes]) -> tuple[str | None, str]:
    """Return name and folder; other keys are the client's own business.

    Clients say `filename` or `name`, and a folder only by a path that ends with the name.
    """
    names = _texts(pairs, "filename", "name")
    folders = _texts(pairs, "folder")
    paths = _texts(pairs, "relativePath")
    directory = next(paths, "").replace("\\", "/").rpartition("/")[0]
    return next(names, None), next(folders, directory)


def _texts(pairs: Mapping[str, bytes], *keys: str) -> Iterator[str]:
    """Yield those values that are not empty; raises InvalidHeaderError unless UTF-8."""
    for key in keys:
        try:
            if text := pairs.get(key, b"").decode():
                yield text
        except UnicodeDecodeError as error:
            raise InvalidHeaderError(
                gettext_noop("Upload-Metadata: the value of “%(key)s” is not UTF-8."), key=key
            ) from error


def _number(headers: Headers, name: str) -> int | None:
    text = headers.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidHeaderError(
            gettext_noop("%(name)s is a number of bytes, not “%(value)s”."),
            name=name,
            value=ascii(text)[1:-1][:40],
        )
    # Python would take long to read a number of thousands of digits, and refuses to.
    return int(text) if len(text.lstrip("0")) < 20 else MAX_SIZE + 1


def _decoded(name: str, encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidHeaderError(
            gettext_noop("%(name)s: “%(value)s” is not base64."),
            name=name,
            value=ascii(encoded)[1:-1][:100],
        ) from error


def _require_printable(name: str, field: str) -> None:
    if not _PRINTABLE.fullmatch(field):
        raise InvalidHeaderError(
            gettext_noop("%(name)s takes no control characters, and nothing but ASCII."), name=name
        )
