"""Plain tables for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

Row = tuple[str, ...]
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def table(head: Row, rows: Sequence[Row]) -> str:
    """Return lines of aligned columns, the first to the left; a dash where there is no row."""
    lines = [head, *rows] if rows else [head, ("–", *[""] * (len(head) - 1))]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(row, widths) for row in lines)


def _line(row: Row, widths: Sequence[int]) -> str:
    spaces = [" " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)]
    others = (space + cell for cell, space in zip(row[1:], spaces[1:], strict=True))
    return "  ".join([row[0] + spaces[0], *others]).rstrip()


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def size(count: int, sign: str = "") -> str:
    """Return a number of bytes in the unit that leaves up to four digits."""
    value, unit = float(count), 0
    while abs(value) >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:{sign},.{1 if unit else 0}f} {UNITS[unit]}"


def share(part: int, whole: int) -> str:
    """Return the part in percent of the whole, "" where there is no whole."""
    return f"{part / whole:.1%}" if whole else ""
