"""What a list can be asked for: the filters of both list routes and of the pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import connections
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import translation
from django.utils.dateparse import parse_date
from django_filters.fields import IsoDateTimeField

from files.exceptions import InvalidFilterError, Phrase, gettext_noop
from files.models import ORDERINGS, File, FileQuerySet, Label

# Ids that a query names one by one.
MOST_IDS = 500


class MomentField(IsoDateTimeField):
    """A date, or a date and time in ISO 8601; UTC where no zone is given."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            if day := _parse_day(value):
                return datetime.combine(day, time(), UTC)
            # A "+" that was not percent-encoded arrives as a space.
            value = value.strip().replace(" ", "+") if "T" in value else value
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


def _parse_day(text: str) -> date | None:
    try:
        return parse_date(text.strip())
    except ValueError:
        return None


class RepeatedField(forms.Field):
    """All values of a parameter that may be repeated; the empty text is one too."""

    widget = forms.MultipleHiddenInput

    def validate(self, value: list[str]) -> None:
        """Refuse what no database can look for."""
        for text in value:
            ProhibitNullCharactersValidator()(text)


class MomentFilter(django_filters.Filter):
    field_class = MomentField


class IntegerFilter(django_filters.Filter):
    """A whole number of 64 bits, as the columns hold."""

    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=-(1 << 63), max_value=(1 << 63) - 1, **kwargs)


class RepeatedFilter(django_filters.Filter):
    """Any of the parameter's values will do."""

    field_class = RepeatedField

    def filter(self, qs: FileQuerySet, value: list[str] | None) -> FileQuerySet:
        if not value:
            return qs
        # A single value as an equality, so that the index also gives the order.
        lookup = (
            {self.field_name: value[0]} if len(value) == 1 else {f"{self.field_name}__in": value}
        )
        return qs.filter(**lookup)


class TextFilter(django_filters.CharFilter):
    """A part of the file's name, or of a label that is on it."""

    def filter(self, qs: FileQuerySet, value: str) -> FileQuerySet:
        if not value:
            return qs
        found = _named(qs, value)
        # Labels are few: where none is meant, names are told from the index alone.
        labels = Label.objects.filter(name__icontains=value)
        if ids := list(labels.values_list("pk", flat=True)):
            found |= Q(pk__in=_labelled(ids))
        return qs.filter(found)


def _named(files: FileQuerySet, part: str) -> Q:
    """Return what finds the files with `part` in their names: by id where those are few.

    MariaDB and PostgreSQL search names in an index that has them; where an order has to
    be given besides, they read every file's row instead: seconds for 100,000.
    """
    found = Q(name__icontains=part)
    if connections[files.db].vendor == "sqlite":
        return found
    few = list(files.filter(found).order_by().values_list("pk", flat=True)[: MOST_IDS + 1])
    return Q(pk__in=few) if len(few) <= MOST_IDS else found


class LabelFilter(RepeatedFilter):
    """Any of the labels with these names will do."""

    def filter(self, qs: FileQuerySet, value: list[str] | None) -> FileQuerySet:
        if not value:
            return qs
        labels = Label.objects.filter(name__in=value).values_list("pk", flat=True)
        return qs.filter(pk__in=_labelled(list(labels)))


def _labelled(label_ids: list[int]) -> QuerySet[Any, Any] | list[int]:
    """Return the ids of the files with any of the labels, as a query where they are many.

    A database looks up a few ids, and would search all files for those of a query. No
    join: with one, a file would be listed once for each of its labels.
    """
    rows = File.labels.through._default_manager.filter(label_id__in=label_ids)
    ids = rows.values_list("file_id", flat=True)
    few = list(ids[: MOST_IDS + 1])
    return few if len(few) <= MOST_IDS else ids


class FileFilter(django_filters.FilterSet):
    """Filters on columns that an index leads with; `q` and `label` on more than that."""

    q = TextFilter()
    name = django_filters.CharFilter(field_name="name")
    folder = django_filters.CharFilter(field_name="folder")
    suffix = RepeatedFilter(field_name="suffix")
    mime_type = django_filters.CharFilter(field_name="mime_type")
    min_size = IntegerFilter(field_name="size", lookup_expr="gte")
    max_size = IntegerFilter(field_name="size", lookup_expr="lte")
    uploaded_after = MomentFilter(field_name="upload_date", lookup_expr="gte")
    uploaded_before = MomentFilter(field_name="upload_date", lookup_expr="lt")
    owner = IntegerFilter(field_name="owner_id")
    label = LabelFilter()

    class Meta:
        model = File
        fields: list[str] = []


REPEATED = frozenset(
    name for name, kind in FileFilter.base_filters.items() if isinstance(kind, RepeatedFilter)
)


def filter_files(
    files: FileQuerySet, parameters: QueryDict, besides: Collection[str] = ()
) -> FileQuerySet:
    """Return those of `files` that the parameters ask for, in no order yet.

    `besides` are the names of parameters that are no filters. Raises InvalidFilterError
    for an unknown or twice given parameter and for a value that cannot be; its `errors`
    name the parameter. `ordering` is read by `ordering_of`.
    """
    known = FileFilter.base_filters.keys() | {"ordering", *besides}
    errors = {
        name: Phrase(gettext_noop("There is no such filter."))
        for name in parameters
        if name not in known
    }
    errors |= {
        name: Phrase(gettext_noop("Given more than once."))
        for name, values in parameters.lists()
        if len(values) > 1 and name not in REPEATED
    }
    filters = FileFilter(parameters, queryset=files)
    if not filters.is_valid():
        errors |= {name: _phrase(first) for name, (first, *_) in filters.errors.as_data().items()}
    if errors:
        raise InvalidFilterError(errors)
    found: FileQuerySet = filters.qs
    return found


def ordering_of(
    parameters: QueryDict, default: str = "-upload_date", orderings: Iterable[str] = ORDERINGS
) -> str:
    """Return the asked for order, one of `orderings`; raises InvalidFilterError."""
    ordering = parameters.get("ordering", default)
    if ordering.removeprefix("-") not in orderings:
        wanted = gettext_noop("One of %(orderings)s; - for descending.")
        raise InvalidFilterError({"ordering": Phrase(wanted, orderings=", ".join(orderings))})
    return ordering


def _phrase(error: ValidationError) -> Phrase:
    """Return Django's words in English; its own catalogues translate them."""
    with translation.override(None):
        return Phrase(str(error.message), **(error.params or {}))
