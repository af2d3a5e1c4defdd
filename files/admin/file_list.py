"""The list of files: which order, filters and search an index gives, and what is walked."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest

from files.admin.filters import (
    EQUALITIES,
    SpaceFilter,
    StateFilter,
    SuffixFilter,
    UploadedFilter,
    is_hash,
    is_id,
    uses,
)
from files.admin.listing import KeysetChangeList
from files.admin.walking import Order
from files.models import Content, Space, Total

NEWEST = Order(("upload_date", "id"))
BY_DELETION = Order(("deleted_at", "upload_date", "id"))
BY_ID = Order(("id",))


class FileChangeList(KeysetChangeList):
    """Files of one space: those that live, the trash, or all.

    All of them have no index of their own, so they are listed by id.
    """

    filter_specs: list[Any]
    queryset: QuerySet[Any]
    root_queryset: QuerySet[Any]

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Choose the order; called when the filters are known and before the first query."""
        used, state = uses(self.filter_specs), self._state
        self._is_direct = True
        if is_hash(self.query):
            self.order, self.sortable_by = BY_ID, ()
        elif state != StateFilter.LIVE:
            self.order = BY_DELETION if state == StateFilter.TRASH else BY_ID
            self.sortable_by = ()
            self._is_direct = not used - {"space", "state"} and not self.query
        else:
            self._order_live(used - {"space", "state"})
        return self.order.terms

    def _order_live(self, used: frozenset[str]) -> None:
        """Allow the orders that an index gives for what is filtered."""
        if self.query or len(used & EQUALITIES) > 1 or "label" in used:
            self.order, self.sortable_by, self._is_direct = NEWEST, (), False
        elif "size" in used and used <= {"size", "suffix"}:
            self.sortable_by = ("file_size",)
            self.order = self._asked_for() or Order(("size", "upload_date", "id"))
        elif "size" in used:
            self.order, self.sortable_by, self._is_direct = NEWEST, (), False
        else:
            sortable = {
                frozenset(): ("file_name", "file_type", "file_size", "uploaded"),
                frozenset({"suffix"}): ("file_name", "file_size", "uploaded"),
            }
            self.sortable_by = sortable.get(used, ("uploaded",))
            self.order = self._asked_for() or NEWEST

    def _asked_for(self) -> Order | None:
        """Return the order that the address asks for, if the list can be had in it."""
        match = re.fullmatch(r"(-?)(\d{1,2})(\..*)?", str(self.params.get(ORDER_VAR, "")))
        if match is None or int(match[2]) >= len(self.list_display):
            return None
        name = self.list_display[int(match[2])]
        if name not in (self.sortable_by or ()):
            return None
        column = str(self.get_ordering_field(name))
        rest = ("id",) if column == "upload_date" else ("upload_date", "id")
        return Order((column, *rest), descending=bool(match[1]))

    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        """Join nothing: the owners and spaces of one page are asked for by their ids."""
        return qs

    @property
    def _state(self) -> str:
        return next(str(spec.value()) for spec in self.filter_specs if type(spec) is StateFilter)

    def passed(self) -> QuerySet[Any] | None:
        if self._is_direct:
            return None
        rows = self.root_queryset
        if self.order == BY_ID:
            return rows
        known = [SpaceFilter, StateFilter, *([UploadedFilter] if self.order == NEWEST else [])]
        for spec in self.filter_specs:
            if type(spec) in known:
                rows = spec.queryset(spec.request, rows)
        return rows

    def get_results(self, request: HttpRequest) -> None:
        """Find the page, with what its columns show; a file whose id was typed comes first."""
        super().get_results(request)
        if is_id(self.query) and not self.previous_url:
            hit = self.queryset.filter(pk=int(self.query)).first()
            if hit is not None:
                self.result_list = [hit, *(row for row in self.result_list if row != hit)]
        contents = Prefetch("content", Content.objects.only("home"))
        prefetch_related_objects(self.result_list, "owner", "space", contents)

    def known_count(self) -> int | None:
        """Return the exact count of what totals are kept of, else as other lists do."""
        values = {spec.parameter_name: spec.value() for spec in self.filter_specs}
        others = uses(self.filter_specs) - {"space", "state", "suffix"}
        if self.query or others or values["state"] != StateFilter.LIVE:
            return super().known_count()
        rows = Total.objects.in_space(int(values["space"])).by_suffix()
        suffix = values["suffix"]
        wanted = suffix and SuffixFilter.suffix_of(suffix)
        found = [row for row in rows if suffix is None or row["suffix"] == wanted]
        return sum(int(row["count"]) for row in found)


def searched(files: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return those of `files` that have this hash, or this in the name, or this id."""
    if is_hash(text):
        # With the space, as the index of hashes begins with it.
        spaces = list(Space.objects.values_list("pk", flat=True))
        return files.filter(space_id__in=spaces, hash=text.strip().lower())
    text = text.replace("\0", "").strip()
    if not text:
        return files
    found = Q(name__icontains=text)
    if is_id(text):
        found |= Q(pk=int(text))
    return files.filter(found)
