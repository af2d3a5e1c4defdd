"""The list: grouped by suffix, or flat with `suffix` (one group alone) or `q` (a search)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from files.actors import DEFAULT_SPACE_ID
from files.exceptions import InvalidFilterError
from files.filters import filter_files, ordering_of
from files.forms import SearchForm
from files.http.requests import ActorRequest
from files.http.sentences import sentence_of
from files.models import File, FileQuerySet, Total
from files.paging import page_of
from files.templatetags.display import group_title
from files.views.methods import require_safe
from files.views.rows import Row, rows_of
from files.views.upload import drop_zone

GROUPS_ON_PAGE = 20
# Files that the groups of a page share; few groups show more of each.
FILES_IN_GROUPS = 100
FILES_ON_PAGE = 50
NEWEST_FIRST = "-upload_date"
# What a heading says, and the order that it asks for first.
COLUMNS: dict[str, tuple[str | Promise, str]] = {
    "name": (_("Name"), "name"),
    "size": (_("Size"), "-size"),
    "upload_date": (_("Uploaded"), NEWEST_FIRST),
}

# Rows of suffix, count and bytes; asked for when they are looked at.
Totals = Iterable[dict[str, Any]]


@dataclass(frozen=True)
class Heading:
    """A column's heading, which is a link that sorts by it."""

    column: str
    label: str | Promise
    url: str
    sort: str  # "ascending", "descending" or "", as in aria-sort


@dataclass(frozen=True)
class Group:
    """Files under one title; `count` and `bytes` are of all that belong there."""

    title: str
    rows: list[Row]
    key: str = ""
    count: int = 0
    bytes: int = 0
    more_url: str = ""


@require_safe
def file_list(request: ActorRequest) -> HttpResponse:
    """Show the groups with their newest files, or one page of a flat list."""
    search = SearchForm(request.GET)
    if not search.is_valid():
        raise BadRequest(
            " ".join(str(message) for messages in search.errors.values() for message in messages)
        )
    chosen = _chosen(request.GET)
    totals = Total.objects.visible_to(request.actor).in_space(DEFAULT_SPACE_ID).by_suffix()
    files = File.objects.visible_to(request.actor).in_space(DEFAULT_SPACE_ID)
    narrowed = "q" in chosen or "suffix" in chosen
    show = _flat_list if narrowed else _groups
    try:
        ordering = ordering_of(chosen, NEWEST_FIRST, COLUMNS)
        shown = show(request, filter_files(files, chosen), totals, ordering)
    except InvalidFilterError as error:
        raise BadRequest(sentence_of(error)) from error
    return render(
        request,
        "files/list.html",
        {
            "search_form": search,
            "narrowed": narrowed,
            "headings": list(_headings(chosen, ordering)),
            **drop_zone(),
            **shown,
        },
    )


def _chosen(parameters: QueryDict) -> QueryDict:
    """Return what decides which files are listed; an empty search decides nothing."""
    chosen = QueryDict(mutable=True)
    for name in ("q", "suffix", "ordering"):
        values = parameters.getlist(name)
        if name == "q":
            values = [value for value in values if value.strip()]
        if values:
            chosen.setlist(name, values)
    return chosen


def _headings(chosen: QueryDict, ordering: str) -> Iterator[Heading]:
    for column, (label, first) in COLUMNS.items():
        other = first[1:] if first.startswith("-") else f"-{first}"
        url = chosen.copy()
        url["ordering"] = other if ordering == first else first
        sort = ""
        if ordering.removeprefix("-") == column:
            sort = "descending" if ordering.startswith("-") else "ascending"
        yield Heading(column, label, f"?{url.urlencode()}", sort)


def _flat_list(
    request: ActorRequest, files: FileQuerySet, totals: Totals, ordering: str
) -> dict[str, Any]:
    """Return one page of all files that were chosen, as a single group.

    With totals where one group was chosen whole; a search is not counted.
    """
    parameters = request.GET
    page = page_of(files, ordering, parameters, limit=FILES_ON_PAGE)
    suffixes, query = parameters.getlist("suffix"), parameters.get("q", "").strip()
    title = ", ".join(group_title(suffix) for suffix in suffixes)
    total: dict[str, Any] = {}
    if len(suffixes) == 1 and not query:
        total = next((row for row in totals if row["suffix"] == suffixes[0]), {})
    if query:
        title = gettext("Search: %(query)s") % {"query": query}
    return {
        "title": title,
        "total_count": total.get("count"),
        "total_bytes": total.get("bytes"),
        "groups": [Group(title, list(rows_of(page.files, request.actor)))] if page.files else [],
        "previous_url": page.previous,
        "next_url": page.next,
    }


def _groups(
    request: ActorRequest, files: FileQuerySet, totals: Totals, ordering: str
) -> dict[str, Any]:
    """Return a page of groups, each with its first files in `ordering`.

    A query for the totals of all groups, and one for each group shown: a single one
    would have to number every file of every group.
    """
    # Files without a suffix come last.
    totals = sorted(totals, key=lambda row: (not row["suffix"], row["suffix"]))
    last_page = max(1, -(-len(totals) // GROUPS_ON_PAGE))
    number = min(_page_number(request.GET.get("page", "1")), last_page)
    shown = totals[(number - 1) * GROUPS_ON_PAGE : number * GROUPS_ON_PAGE]
    most = FILES_IN_GROUPS // max(1, len(shown))
    return {
        "title": gettext("Files"),
        "total_count": sum(row["count"] for row in totals),
        "total_bytes": sum(row["bytes"] for row in totals),
        "groups": [
            Group(
                title=group_title(row["suffix"]),
                rows=list(
                    rows_of(
                        files.filter(suffix=row["suffix"]).page(ordering, most),
                        request.actor,
                    )
                ),
                key=row["suffix"],
                count=row["count"],
                bytes=row["bytes"],
                more_url=_list_url(ordering, suffix=row["suffix"]) if row["count"] > most else "",
            )
            for row in shown
        ],
        "previous_url": _list_url(ordering, page=number - 1) if number > 1 else "",
        "next_url": _list_url(ordering, page=number + 1) if number < last_page else "",
    }


def _page_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or int(text) < 1:
        raise BadRequest(gettext("There is no such page."))
    return int(text)


def _list_url(ordering: str, **parameters: str | int) -> str:
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in parameters.items()})
    if ordering != NEWEST_FIRST:
        query["ordering"] = ordering
    return f"{reverse('files:list')}?{query.urlencode()}"
