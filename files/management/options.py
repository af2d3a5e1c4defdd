"""Readers of command line options that say what is wrong with one."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable

# Threads of one command; each has a connection to the database.
MOST_WORKERS = 64
# What the databases take for an id.
MOST_ID = (1 << 63) - 1
# More digits than any such number has; of thousands, Python reads none.
_MOST_DIGITS = 30


def number_from(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads an option's whole number of `least` or more, up to `most`."""
    wanted = f"of {least} or more" if most is None else f"from {least} to {most}"

    def read(text: str) -> int:
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
        if not is_number or int(text) < least or (most is not None and int(text) > most):
            raise ArgumentTypeError(f"{text} is not a whole number {wanted}")
        return int(text)

    return read
