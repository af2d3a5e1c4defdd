"""Pages of a list of files: a place in the list is a cursor in the address."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.translation import gettext

from files.models import File, FileQuerySet

# Longer than the cursor of any name.
MAX_CURSOR_LENGTH = 2000
MAX_NUMBER = (1 << 63) - 1


@dataclass(frozen=True)
class Page:
    """Some files in order; `previous` and `next` are query strings, "" at the ends."""

    files: list[File]
    previous: str
    next: str


def page_of(files: FileQuerySet, ordering: str, parameters: QueryDict, *, limit: int) -> Page:
    """Return the page of at most `limit` files that `parameters` ask for.

    `after` or `before` hold the cursor of a file; BadRequest where it is none. Two
    queries at most.
    """
    before, after = parameters.get("before"), parameters.get("after")
    cursor = before or after
    place = read_cursor(cursor, ordering) if cursor else None
    found = files.page(ordering, limit + 1, after=place, reverse=bool(before))
    more, found = len(found) > limit, found[:limit]
    if before:
        found.reverse()
    has_previous, has_next = (more, True) if before else (bool(after), more)
    return Page(
        files=found,
        previous=_with(parameters, "before", found[0], ordering) if found and has_previous else "",
        next=_with(parameters, "after", found[-1], ordering) if found and has_next else "",
    )


def _with(parameters: QueryDict, name: str, file: File, ordering: str) -> str:
    changed = parameters.copy()
    for key in ("after", "before"):
        changed.pop(key, None)
    changed[name] = cursor_of(file, ordering)
    return f"?{changed.urlencode()}"


def cursor_of(file: File, ordering: str) -> str:
    """Return the place of `file` in a list in `ordering`."""
    value = getattr(file, ordering.removeprefix("-"))
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return urlsafe_b64encode(f"{file.pk}:{text}".encode()).decode().rstrip("=")


def read_cursor(cursor: str, ordering: str) -> File:
    """Return a file, of no other use, that stands at the cursor's place."""
    column = ordering.removeprefix("-")
    try:
        if len(cursor) > MAX_CURSOR_LENGTH:
            raise ValueError
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        number, colon, text = urlsafe_b64decode(padded).decode().partition(":")
        return File(pk=_number(number), **{column: _value(column, text)})
    except (ValueError, OverflowError) as error:
        raise BadRequest(gettext("There is no such place in this list.")) from error


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_NUMBER:
        raise ValueError(text)
    return int(text)


def _value(column: str, text: str) -> datetime | int | str:
    if column == "size":
        return _number(text)
    if column == "upload_date":
        return datetime.fromisoformat(text).astimezone(UTC)
    if "\0" in text:
        raise ValueError(text)
    return text
