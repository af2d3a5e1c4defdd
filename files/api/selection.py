"""Which files a request means: those with the ids that it names, or what the filters find.

Entry points: selection_of, selected_files.
"""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from files.exceptions import (
    FileNotFoundInSpaceError,
    InvalidFieldsError,
    InvalidFilterError,
    Phrase,
    gettext_noop,
)
from files.filters import filter_files, ordering_of
from files.models import FileQuerySet

MAX_IDS = 10_000
MAX_ID = (1 << 63) - 1


def selection_of(request: Request) -> QueryDict:
    """Return the parameters in the address and in the body, a form or JSON.

    Raises InvalidFieldsError where JSON holds more than texts, numbers and lists of them.
    """
    parameters = request.GET.copy()
    if request.method != "POST":
        return parameters
    if isinstance(request.data, QueryDict):
        for name, values in request.data.lists():
            parameters.setlist(name, values)
    elif isinstance(request.data, dict):
        for name, value in request.data.items():
            parameters.setlist(name, [_text(name, one) for one in _list(value)])
    else:
        wanted = gettext_noop("An object is wanted, with the names of filters.")
        raise InvalidFieldsError({"body": Phrase(wanted)})
    # The form's token is not asked for where nothing is changed.
    parameters.pop("csrfmiddlewaretoken", None)
    return parameters


def selected_files(files: FileQuerySet, parameters: QueryDict) -> FileQuerySet:
    """Return those of `files` that are meant.

    Raises InvalidFilterError for what cannot be, and FileNotFoundInSpaceError where one of
    the ids is not there: an archive without it would look complete.
    """
    filters = parameters.copy()
    ids = {_id(text) for text in filters.pop("id", [])}
    found = filter_files(files, filters)
    ordering_of(filters)  # Of no use here, and wrong all the same if it is none.
    if not ids:
        return found
    if len(ids) > MAX_IDS:
        too_many = gettext_noop("At most %(max)s ids; use filters for more.")
        raise InvalidFilterError({"id": Phrase(too_many, max=f"{MAX_IDS:,}")})
    found = found.filter(pk__in=ids)
    if missing := ids - set(found.values_list("pk", flat=True)):
        raise FileNotFoundInSpaceError(
            gettext_noop("There is no file %(id)s among those asked for."), id=min(missing)
        )
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(name: str, value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number: 2.0 is 2.
    if isinstance(value, bool) or not isinstance(value, str | int):
        sentence = gettext_noop("A text, a whole number, or a list of them.")
        raise InvalidFieldsError({name: Phrase(sentence)})
    return str(value)


def _id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= MAX_ID:
        raise InvalidFilterError({"id": Phrase(gettext_noop("The number of a file."))})
    return int(text)
