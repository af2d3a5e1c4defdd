"""`Range: bytes=…` as RFC 9110, section 14, means it. Pure; entry point: `parse_range`."""

from __future__ import annotations

import re
from typing import NamedTuple

# A viewer that jumps about in a document asks for a few; more only costs the server.
MAX_RANGES = 16
# Longer numbers are beyond any file; int() would refuse them from 4,300 digits on.
_MAX_DIGITS = 20

_SPECIFIER = re.compile(r"bytes=(.+)", re.ASCII | re.IGNORECASE)
_SPEC = re.compile(r"([0-9]*)-([0-9]*)")
_WHITE_SPACE = " \t"


class ByteRange(NamedTuple):
    """Bytes `start` to `stop` (exclusive)."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """Return the value of `Content-Range` for this part of `size` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def parse_range(header: str, size: int) -> list[ByteRange] | None:
    """Return the ranges of `size` bytes to send, in the order they were asked for.

    An empty list means that none of them can be satisfied (416). None means that the
    header is to be ignored and everything sent: it is no valid set of byte ranges, or
    an absurd one, of more than MAX_RANGES or of overlaps that add up to more than `size`.
    """
    specifier = _SPECIFIER.fullmatch(header.strip(_WHITE_SPACE))
    # Some clients ask for `bytes=0-` of whatever they fetch, empty files too.
    if specifier is None or size == 0:
        return None
    specs = [spec for part in specifier[1].split(",") if (spec := part.strip(_WHITE_SPACE))]
    if not 0 < len(specs) <= MAX_RANGES:
        return None
    ranges = []
    for spec in specs:
        bounds = _bounds(spec, size)
        if bounds is None:
            return None
        if bounds.start < bounds.stop:
            ranges.append(bounds)
    return ranges if sum(part.size for part in ranges) <= size else None


def _bounds(spec: str, size: int) -> ByteRange | None:
    """Return what `spec` selects of `size` bytes; empty if nothing, None if it is invalid."""
    match = _SPEC.fullmatch(spec)
    if match is None or spec == "-":
        return None
    first, last = (_number(digits) if digits else None for digits in match.groups())
    if first is None:
        return ByteRange(max(size - (last or 0), 0), size)
    if last is not None and last < first:
        return None
    stop = size if last is None else min(last + 1, size)
    return ByteRange(min(first, size), stop)


def _number(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _MAX_DIGITS else 10**_MAX_DIGITS
