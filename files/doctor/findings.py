"""What a check of `manage.py doctor` found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `hint` says what to do about it, "" when nothing."""

    check: str
    status: Status
    text: str
    hint: str = ""


Check = Callable[[], Iterator[Finding]]


def ok(check: str, text: str) -> Finding:
    return Finding(check, Status.OK, text)


def warning(check: str, text: str, hint: str = "") -> Finding:
    return Finding(check, Status.WARNING, text, hint)


def problem(check: str, text: str, hint: str = "") -> Finding:
    return Finding(check, Status.PROBLEM, text, hint)


def size(count: int) -> str:
    """Return a number of bytes in words, "20 MiB"."""
    for unit, factor in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{count:,} bytes"
