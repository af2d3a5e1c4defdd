"""Readers of command line options that say what is wrong with one."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def number_from(least: int) -> Callable[[str], int]:
    """Return what reads an option's whole number of `least` or more."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or int(text) < least:
            raise ArgumentTypeError(f"{text} is not a whole number of {least} or more")
        return int(text)

    return read
