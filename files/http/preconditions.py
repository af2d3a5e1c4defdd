"""Conditional requests as RFC 9110, section 13, wants them.

Django's get_conditional_response is not used: it takes a header without a valid entity
tag for an absent one, ignores the date 1970-01-01, and does not know If-Range.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from django.http import HttpRequest
from django.utils.http import parse_etags, parse_http_date_safe

_FAILED: Literal[HTTPStatus.PRECONDITION_FAILED] = HTTPStatus.PRECONDITION_FAILED
_NOT_MODIFIED: Literal[HTTPStatus.NOT_MODIFIED] = HTTPStatus.NOT_MODIFIED


def if_match_passes(header: str, *etags: str) -> bool:
    """Tell whether the value of an `If-Match` names one of the strong `etags`.

    Weak tags never match. `*` matches whatever exists.
    """
    wanted = parse_etags(header)
    return wanted == ["*"] or any(etag in wanted for etag in etags)


def if_none_match_passes(header: str, etag: str) -> bool:
    """Tell whether the value of an `If-None-Match` does not name the strong `etag`."""
    known = parse_etags(header)
    return known != ["*"] and etag not in {tag.removeprefix("W/") for tag in known}


def refused_by_preconditions(
    request: HttpRequest, *, etag: str, last_modified: int
) -> Literal[HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_MODIFIED] | None:
    """Return the status that answers a GET or HEAD instead of the content, if any.

    `last_modified` is in whole seconds since the epoch. The order is the one of RFC 9110,
    section 13.2.2: a tag takes the place of the date of the same sense.
    """
    if_match = request.headers.get("If-Match")
    if if_match is not None:
        if not if_match_passes(if_match, etag):
            return _FAILED
    elif (date := _date(request, "If-Unmodified-Since")) is not None and last_modified > date:
        return _FAILED
    if_none_match = request.headers.get("If-None-Match")
    if if_none_match is not None:
        if not if_none_match_passes(if_none_match, etag):
            return _NOT_MODIFIED
    elif (date := _date(request, "If-Modified-Since")) is not None and last_modified <= date:
        return _NOT_MODIFIED
    return None


def if_range_passes(request: HttpRequest, *, etag: str, last_modified: int) -> bool:
    """Tell whether a range may be sent: what the client has a part of is still there.

    The date counts as a strong validator, since a file's bytes never change.
    """
    validator = request.headers.get("If-Range")
    if validator is None:
        return True
    return validator.strip() == etag or _date(request, "If-Range") == last_modified


def _date(request: HttpRequest, name: str) -> int | None:
    """Return the header's date in seconds since the epoch, None if absent or invalid."""
    return parse_http_date_safe(request.headers.get(name, "").strip())
