from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from files.admin.filters import is_id
from files.admin.listing import KeysetChangeList, ReadOnlyAdmin
from files.models import Event
from files.templatetags.display import moment


class EventChangeList(KeysetChangeList):
    def passed(self) -> None:
        """Return None: the search has an index that ends with the order."""


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What happened, newest first; a search is for the id of a file."""

    list_display = ("when", "name", "actor", "what", "short_details")
    list_display_links = ("when",)
    fields = ("name", "created_at", "actor", "user_id", "object", "space_id", "all_details")
    readonly_fields = fields
    search_fields = ("object_id",)
    search_help_text = _("The id of a file")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventChangeList]:
        return EventChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        number = int(term) if is_id(term) else 0
        return queryset.filter(object_type="file", object_id=number), False

    @admin.display(description=_("when"))
    def when(self, event: Event) -> SafeString:
        return moment(event.created_at)

    @admin.display(description=_("object"))
    def what(self, event: Event) -> str:
        return f"{event.object_type} {event.object_id or ''}".strip()

    object = what

    @admin.display(description=_("details"))
    def short_details(self, event: Event) -> SafeString:
        return format_html("<bdi>{}</bdi>", str(event.details.get("name", ""))[:100])

    @admin.display(description=_("details"))
    def all_details(self, event: Event) -> SafeString:
        text = json.dumps(event.details, ensure_ascii=False, indent=2)
        return format_html('<pre class="details" dir="ltr">{}</pre>', text)
