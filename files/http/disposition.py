"""`Content-Disposition` with a name that every client can use (RFC 6266, RFC 8187)."""

from __future__ import annotations

import os.path
import re
import unicodedata
from typing import Literal
from urllib.parse import quote

Disposition = Literal["attachment", "inline"]

# Besides letters, digits and "_.-~", what RFC 8187 lets stand for itself (attr-char).
_ATTR_CHARS = "!#$&+^`|"
# Cannot be part of a file's name anywhere; a lone surrogate has no UTF-8 either.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Quotes and backslashes are unescaped differently by different clients, some decode
# "%41", and a slash may be taken for a directory.
_UNSAFE = re.compile(r'[^ -~]+|["%/\\]+')


def content_disposition(disposition: Disposition, name: str) -> str:
    """Return the header's value, ASCII only: `filename` as a fallback, then `filename*`.

    Clients that know `filename*` prefer it; the others (curl -OJ) see the fallback.
    """
    name = _UNUSABLE.sub("_", name)
    encoded = quote(name, safe=_ATTR_CHARS)
    return f"{disposition}; filename=\"{ascii_fallback(name)}\"; filename*=UTF-8''{encoded}"


def ascii_fallback(name: str) -> str:
    """Return `name` in characters that mean the same in every client; never empty.

    Accents are dropped, other characters replaced; the suffix stays.
    """
    stem, suffix = os.path.splitext(name)
    safe_stem = _safe(stem)
    if safe_stem != stem and not any(char.isalnum() for char in safe_stem):
        safe_stem = ""
    return (safe_stem or "file") + _safe(suffix)


def _safe(text: str) -> str:
    # Normalised first: a full-width percent sign becomes a percent sign.
    decomposed = unicodedata.normalize("NFKD", text)
    base = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _UNSAFE.sub("_", base)
