"""Digest fields of RFC 9530; of the algorithms only sha-256."""

from __future__ import annotations

import base64
import binascii
import re

from files.exceptions import InvalidDigestError, gettext_noop

_SIZE = 32  # bytes
# A member of a structured-field dictionary: key, then no value, a byte sequence, a
# string, or something without commas (RFC 9651, section 3.2).
_MEMBER = re.compile(
    r"""[ \t]*(?P<key>[a-z*][a-z0-9_.*-]*)
        (?:=(?P<value>:[^:,"]*:|"(?:[^"\\]|\\.)*"|[^,;":]*))?
        (?:;[^,"]*(?:"(?:[^"\\]|\\.)*"[^,"]*)*)?
        [ \t]*(?:,|\Z)""",
    re.VERBOSE,
)


def parse_digest(field: str) -> bytes | None:
    """Return the SHA-256 in `Repr-Digest` or `Content-Digest`, 32 bytes, None without one.

    Other algorithms are ignored. Raises InvalidDigestError when the field cannot be
    read or its sha-256 is not 32 bytes in base64 between colons.
    """
    digest = None
    position = 0
    while position < len(field):
        member = _MEMBER.match(field, position)
        if member is None:
            raise InvalidDigestError(
                gettext_noop("“%(field)s” is not of the form sha-256=:base64:."), field=field[:100]
            )
        if member["key"] == "sha-256":
            digest = _sha256(member["value"] or "")
        position = member.end()
    return digest


def repr_digest(hash_hex: str) -> str:
    """Return the value of `Repr-Digest` for a SHA-256 of 64 hex digits."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(hash_hex)).decode()}:"


def _sha256(value: str) -> bytes:
    try:
        # Padding may be left out.
        inner = value[1:-1]
        digest = base64.b64decode(inner + "=" * (-len(inner) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidDigestError(
            gettext_noop("The sha-256 “%(value)s” is not base64."), value=value[:100]
        ) from error
    if value[:1] != ":" or value[-1:] != ":" or len(digest) != _SIZE:
        raise InvalidDigestError(
            gettext_noop("The sha-256 “%(value)s” is not %(size)s bytes in base64 between colons."),
            value=value[:100],
            size=_SIZE,
        )
    return digest
