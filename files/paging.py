"""Pages of a list of files: a place in the list is a cursor in the address."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import QueryDict

from files.exceptions import InvalidFilterError, Phrase, gettext_noop
from files.models import ORDERINGS, File, FileQuerySet

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

    `after` or `before` hold the cursor of a file; InvalidFilterError where it is none.
    A query for each column of the order at most.
    """
    before, after = parameters.get("before"), parameters.get("after")
    place = None
    for name, cursor in (("before", before), ("after", after)):
        if cursor:
            place = place or _place(name, cursor, ordering)
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


def _place(name: str, cursor: str, ordering: str) -> File:
    try:
        return read_cursor(cursor, ordering)
    except (ValueError, OverflowError, RecursionError) as error:
        sentence = gettext_noop("There is no such place in this list.")
        raise InvalidFilterError({name: Phrase(sentence)}) from error


def _with(parameters: QueryDict, name: str, file: File, ordering: str) -> str:
    changed = parameters.copy()
    for key in ("after", "before"):
        changed.pop(key, None)
    changed[name] = cursor_of(file, ordering)
    return f"?{changed.urlencode()}"


def cursor_of(file: File, ordering: str) -> str:
    """Return the place of `file` in a list in `ordering`: its value in each column."""
    values = [getattr(file, name) for name in ORDERINGS[ordering.removeprefix("-")]]
    text = json.dumps(values, default=datetime.isoformat, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, ordering: str) -> File:
    """Return a file, of no other use, that stands at the cursor's place.

    Raises ValueError, OverflowError or RecursionError where there is no such place.
    """
    columns = ORDERINGS[ordering.removeprefix("-")]
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise ValueError
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    values = json.loads(urlsafe_b64decode(padded))
    if not isinstance(values, list) or len(values) != len(columns):
        raise ValueError
    named = zip(columns, values, strict=True)
    return File(**{name: _value(name, value) for name, value in named})


def _value(column: str, value: object) -> datetime | int | str:
    """Return the value as its column holds it; raises ValueError for any other kind."""
    if column in ("size", "id"):
        if type(value) is not int or not 0 <= value <= MAX_NUMBER:
            raise ValueError
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # Half of a surrogate pair is a ValueError.
    return datetime.fromisoformat(value).astimezone(UTC) if column == "upload_date" else value
