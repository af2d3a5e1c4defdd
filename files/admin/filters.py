"""Filters of the list of files, each on what an index leads with or a walk can pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.db.models import BigIntegerField, ExpressionWrapper, F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from files.models import Label, Space, Total
from files.templatetags.display import group_title

Words = str | Promise
# Choices shown of what may be endless; the rest is typed in.
SHOWN = 12
# Digits of an id that a database can hold.
MAX_ID_DIGITS = 18
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class ChoiceFilter(SimpleListFilter):
    """A filter of fixed choices; another value is a wrong address."""

    template = "admin/files/choice_filter.html"

    def has_output(self) -> bool:
        """Return true, so that Django asks it also where there is nothing to choose."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in {str(choice) for choice, _words in self.lookup_choices}:
            raise IncorrectLookupParameters
        return self.narrowed(queryset, value)

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Return those of `rows` that are wanted."""
        raise NotImplementedError


class DefaultFilter(ChoiceFilter):
    """One choice always holds, at first the first one: there is no "All" besides."""

    def value(self) -> str:
        return super().value() or str(self.lookup_choices[0][0])

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield from list(super().choices(changelist))[1:]


class SpaceFilter(DefaultFilter):
    """Each index begins with the space, so it is always one."""

    title = _("space")
    parameter_name = "space"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(space.pk), space.name) for space in Space.objects.all()]

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if self.request.GET.get(StateFilter.parameter_name) != StateFilter.ALL:
            return rows.filter(space_id=int(value))
        # Listed by id, which no index has behind the space: as a sum, so that none is
        # used, and a million entries sorted.
        number = ExpressionWrapper(F("space_id") + 0, BigIntegerField())
        found: QuerySet[Any] = rows.alias(space_number=number).filter(space_number=int(value))
        return found


class StateFilter(DefaultFilter):
    title = _("state")
    parameter_name = "state"
    LIVE, TRASH, ALL = "live", "trash", "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.LIVE, _("Live")), (self.TRASH, _("In the trash")), (self.ALL, _("All"))]

    def value(self) -> str:
        """Return the state; a hash is searched in all, unless one was chosen."""
        query = self.request.GET.get(SEARCH_VAR, "")
        chosen = self.used_parameters.get(self.parameter_name)
        return self.ALL if not chosen and is_hash(query) else super().value()

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == self.ALL:
            return rows
        return rows.filter(deleted_at__isnull=value == self.LIVE)


class UploadedFilter(ChoiceFilter):
    title = _("upload date")
    parameter_name = "uploaded"
    DAYS: ClassVar = {"today": 0, "week": 7, "month": 30}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        words = (_("Today"), _("Past 7 days"), _("Past 30 days"))
        return list(zip(self.DAYS, words, strict=True))

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        now: datetime = timezone.localtime()
        days = self.DAYS[value]
        since = now - timedelta(days=days)
        if not days:
            since = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return rows.filter(upload_date__gte=since)


class SizeFilter(ChoiceFilter):
    title = _("size")
    parameter_name = "size"
    # From, and up to but not including, bytes.
    CLASSES: ClassVar[dict[str, tuple[int, int | None]]] = {
        "empty": (0, 1),
        "tiny": (1, 10 * KIB),
        "small": (10 * KIB, MIB),
        "medium": (MIB, 100 * MIB),
        "large": (100 * MIB, GIB),
        "huge": (GIB, None),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        words = (
            _("Empty"),
            _("Under 10 KB"),
            _("10 KB to 1 MB"),
            _("1 to 100 MB"),
            _("100 MB to 1 GB"),
            _("1 GB and more"),
        )
        return list(zip(self.CLASSES, words, strict=True))

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        first, end = self.CLASSES[value]
        rows = rows.filter(size__gte=first)
        return rows if end is None else rows.filter(size__lt=end)


class LabelFilter(ChoiceFilter):
    title = _("label")
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        labels = Label.objects.order_by("name", "pk")
        if space := request.GET.get("space", ""):
            labels = labels.filter(space_id=int(space) if is_id(space) else 0)
        return [(str(label.pk), label.name) for label in labels[:100]]

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(labels=int(value))


class ValueFilter(SimpleListFilter):
    """A filter whose value may be typed in; some are shown as choices or suggested."""

    template = "admin/files/value_filter.html"
    placeholder: Words = ""
    suggestions: list[str]
    hidden: list[tuple[str, str]]

    def has_output(self) -> bool:
        return True

    def value(self) -> str | None:
        return (super().value() or "").strip() or None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.suggestions = []
        return []

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        others = changelist.filter_params.items()
        self.hidden = [
            (name, value)
            for name, values in others
            for value in values
            if name != self.parameter_name
        ]
        yield from super().choices(changelist)

    @property
    def typed(self) -> str:
        """Return what stands in the field: a value that is none of the choices."""
        value = self.value()
        shown = {str(choice) for choice, _words in self.lookup_choices}
        return value if value and value not in shown else ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if "\0" in value:
            raise IncorrectLookupParameters
        return self.narrowed(queryset, value)

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Return those of `rows` that have the value."""
        return rows.filter(**{str(self.parameter_name): value})


class SuffixFilter(ValueFilter):
    title = _("type")
    parameter_name = "suffix"
    placeholder = _("pdf")
    # No suffix begins with a dot.
    NONE = "."

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        # Of all spaces: operators work in each of them, and keep their choice in the next.
        totals = list(Total.objects.by_suffix())
        totals.sort(key=lambda row: -row["count"])
        self.suggestions = [row["suffix"] for row in totals[SHOWN : 20 * SHOWN]]
        return [(row["suffix"] or self.NONE, group_title(row["suffix"])) for row in totals[:SHOWN]]

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(suffix=self.suffix_of(value))

    @staticmethod
    def suffix_of(value: str) -> str:
        """Return the suffix that a choice, or what was typed, stands for."""
        return value.lstrip(".").lower()


class MimeTypeFilter(ValueFilter):
    title = _("MIME type")
    parameter_name = "mime_type"
    placeholder = "image/png"


class FolderFilter(ValueFilter):
    title = _("folder")
    parameter_name = "folder"


class OwnerFilter(ValueFilter):
    title = _("owner")
    parameter_name = "owner"
    placeholder = _("user name")
    # No user name has a slash.
    NOBODY = "/nobody"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        model = get_user_model()
        users = model.objects.order_by("pk").values_list(model.USERNAME_FIELD, flat=True)
        names = list(users[:200])
        self.suggestions = names[SHOWN:]
        return [(self.NOBODY, _("nobody")), *((name, name) for name in names[:SHOWN])]

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == self.NOBODY:
            return rows.filter(owner=None)
        model = get_user_model()
        user = model.objects.filter(**{model.USERNAME_FIELD: value}).values_list("pk", flat=True)
        # Its id, not a subquery: as an equality the index also gives the order.
        return rows.filter(owner_id=user.first() or 0)


FILTERS = [
    StateFilter,
    SpaceFilter,
    SuffixFilter,
    UploadedFilter,
    SizeFilter,
    OwnerFilter,
    LabelFilter,
    MimeTypeFilter,
    FolderFilter,
]
# Those on a column that is equal in all found, followed in its index by the upload date.
EQUALITIES = frozenset({"suffix", "owner", "mime_type", "folder"})


def uses(specs: list[Any]) -> frozenset[str]:
    """Return the names of the filters among `specs` that leave something out."""
    return frozenset(spec.parameter_name for spec in specs if spec.value() is not None)


def is_hash(text: str) -> bool:
    """Tell whether a search is for a hash."""
    return re.fullmatch(r"\s*[0-9a-fA-F]{64}\s*", text) is not None


def is_id(text: str) -> bool:
    """Tell whether a search may be for an id."""
    return text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS
