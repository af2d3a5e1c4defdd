"""Lists of the admin that cost the same with a million rows as with ten.

Entry points: OperatorAdmin, KeysetChangeList. A place in a list is a key, never a number of
rows to skip; nothing is counted beyond COUNTED; what cannot be had in time is said to be so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext

from files.admin.walking import Key, Order, Stretch, seek, walk
from files.exceptions import FilesError, InvalidFieldsError, Phrase
from files.http.sentences import sentence_of
from files.models import Event

if TYPE_CHECKING:
    AnyModelAdmin = ModelAdmin[Any]
else:
    AnyModelAdmin = ModelAdmin

AFTER_VAR, BEFORE_VAR = "after", "before"
# Rows counted at most.
COUNTED = 10_000
EVENTS_IN_HISTORY = 500


class KeysetChangeList(ChangeList):
    """A page of rows behind, or before, a place in the list.

    Subclasses choose the order, and by `passed` what a walk goes along where no index
    gives both order and filters.
    """

    result_list: Any
    order = Order(("id",))
    count_text = ""
    unfinished = False
    previous_url = next_url = ""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        """Take the place out of the parameters: no link to another list may carry it on."""
        for name in (AFTER_VAR, BEFORE_VAR):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return self.order.terms

    def get_ordering_field_columns(self) -> dict[int, Any]:
        """Return the one column that the list is in the order of, for its heading."""
        direction = "desc" if self.order.descending else "asc"
        return {
            index: direction
            for index, name in enumerate(self.list_display)
            if self.get_ordering_field(name) == self.order.columns[0]
        }

    def passed(self) -> QuerySet[Any] | None:
        """Return what a walk goes along; None where the order's index knows the filters too."""
        return self.root_queryset if self.has_active_filters or self.query else None

    def get_results(self, request: HttpRequest) -> None:
        """Find the page; called by the constructor."""
        before, after = request.GET.get(BEFORE_VAR), request.GET.get(AFTER_VAR)
        stretch = self._stretch(before or after, backwards=bool(before))
        rows = stretch.rows
        first = last = stretch.end
        if before:
            rows.reverse()
            last = self.order.key_of(rows[-1]) if rows else self._key(before)
        elif after:
            first = self.order.key_of(rows[0]) if rows else self._key(after)
        else:
            first = None
        self.previous_url = self._url(BEFORE_VAR, first)
        self.next_url = self._url(AFTER_VAR, last)
        self.unfinished = stretch.unfinished
        self.result_list = rows
        self._count()
        self.multi_page = bool(self.previous_url or self.next_url)
        self.can_show_all = False
        self.show_admin_actions = True
        self.show_full_result_count, self.full_result_count = False, 0
        self.paginator = Paginator(rows, self.list_per_page)

    def _stretch(self, place: str | None, *, backwards: bool) -> Stretch[Any]:
        order = self.order.reversed if backwards else self.order
        key = self._key(place) if place else None
        passed = self.passed()
        if passed is None:
            return seek(self.queryset, order, self.list_per_page, key)
        return walk(self.queryset, passed, order, self.list_per_page, key)

    def _key(self, text: str) -> Key:
        """Return the place that `text` of the address names."""
        try:
            values = json.loads(text)
            if not isinstance(values, list):
                raise ValueError
            named = zip(self.order.columns, values, strict=True)
            return tuple(self._value(name, value) for name, value in named)
        except (ValueError, OverflowError, RecursionError, TypeError, ValidationError) as error:
            raise IncorrectLookupParameters from error

    def _value(self, column: str, value: object) -> object:
        """Return the value as its column holds it.

        Raises ValueError or OverflowError for what no row has.
        """
        if not isinstance(value, str | int) or "\0" in str(value):
            raise ValueError
        str(value).encode()  # Half of a surrogate pair is a ValueError.
        field: Any = self.opts.get_field(column)
        found: object = field.to_python(value)
        if not isinstance(found, datetime):
            return found
        if found.tzinfo is None:
            raise ValueError
        # As the database gets it: with its zone, a date may be beyond the last one.
        return found.astimezone(UTC)

    def _url(self, name: str, key: Key | None) -> str:
        if not key:
            return ""
        text = json.dumps(key, default=datetime.isoformat, separators=(",", ":"))
        return self.get_query_string({name: text})

    def _count(self) -> None:
        """Tell how many rows there are, as far as that can be told at once."""
        is_all = not self.previous_url and not self.next_url
        count = len(self.result_list) if is_all else self.known_count()
        # Django compares it with the number of rows shown.
        self.result_count = COUNTED + 1 if count is None else count
        if count is None:
            self.count_text = ""
        elif count == COUNTED + 1:
            self.count_text = gettext("more than %(count)s") % {"count": digits(COUNTED)}
        else:
            self.count_text = digits(count)

    def known_count(self) -> int | None:
        """Return how many rows there are, COUNTED + 1 for more; None where that takes long."""
        if self.passed() is not None:
            return None
        count: int = self.queryset.order_by().values("pk")[: COUNTED + 1].count()
        return count


class OperatorAdmin(AnyModelAdmin):
    """What all our pages of the admin have in common."""

    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    # The stock action collects all that hangs on what is selected, in memory.
    actions: Any = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the form again where a service refuses what it let pass; nothing was saved."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except FilesError as error:
            request.refusal = error  # type: ignore[attr-defined]  # for get_form
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form; it finds what a service refused before."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        refusal: FilesError | None = getattr(request, "refusal", None)
        return form if refusal is None else _refused(form, refusal)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show our events of the object, which tell of changes at every door."""
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404(gettext("There is nothing at this address."))
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {
            "title": gettext("History: %(name)s") % {"name": obj},
            "opts": self.opts,
            "object": obj,
            "events": events_of(obj, EVENTS_IN_HISTORY),
        }
        return render(request, "admin/files/history.html", context)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Leave it to the event that the service recorded; so do the next two."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any: ...

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any: ...

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> Any:
        """Answer 404 where Django goes to the index with a message."""
        raise Http404(gettext("There is nothing at this address."))


class ReadOnlyAdmin(OperatorAdmin):
    """Rows that operators look at and never change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def events_of(obj: Model, limit: int) -> list[Event]:
    """Return the newest events of a row."""
    found = Event.objects.filter(object_type=obj._meta.model_name, object_id=obj.pk)
    return list(found.order_by("-pk")[:limit])


def _refused(form: Any, refusal: FilesError) -> Any:
    """Return a form like `form` that is never valid, for this reason."""
    errors: Mapping[str, FilesError | Phrase] = {"": refusal}
    if isinstance(refusal, InvalidFieldsError):
        errors = refusal.errors

    class Refused(form):  # type: ignore[misc]  # made by Django while it runs
        def clean(self) -> Any:
            cleaned = super().clean()
            for name, error in errors.items():
                self.add_error(name if name in self.fields else None, sentence_of(error))
            return cleaned

    return Refused


def digits(value: int) -> str:
    """Return a whole number with its digits grouped as the language does."""
    return number_format(value, force_grouping=True)
