from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from files.admin.filters import DefaultFilter
from files.admin.listing import KeysetChangeList, ReadOnlyAdmin
from files.admin.walking import Order
from files.models import Content
from files.templatetags.display import moment


class StateFilter(DefaultFilter):
    """Contents that no file owns; those of files are shown with their files."""

    title = _("state")
    parameter_name = "state"
    OF_UPLOADS = "uploads"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (Content.State.RECEIVING, _("Being received, or broken off")),
            (self.OF_UPLOADS, _("Of unfinished uploads")),
            (Content.State.RELEASED, _("Given up, until they are swept")),
        ]

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        rows = rows.filter(keep_until__isnull=False)
        if value == Content.State.RELEASED:
            return rows.filter(state=value)
        is_of_none = value == Content.State.RECEIVING
        return rows.filter(state=Content.State.RECEIVING, uploads__isnull=is_of_none)


class ContentChangeList(KeysetChangeList):
    order = Order(("keep_until", "id"))

    def passed(self) -> None:
        """Return None: the one filter and the order have an index."""


@admin.register(Content)
class ContentAdmin(ReadOnlyAdmin):
    """Uploads under way, and bytes that wait for the sweep."""

    list_display = ("id", "human_size", "home", "state", "begun", "kept")
    list_filter = (StateFilter,)
    fields = ("size", "home", "key", "state", "keep_until", "created_at")
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ContentChangeList]:
        return ContentChangeList

    @admin.display(description=_("size"))
    def human_size(self, content: Content) -> str:
        return filesizeformat(content.size)

    @admin.display(description=_("begun"))
    def begun(self, content: Content) -> SafeString:
        return moment(content.created_at)

    @admin.display(description=_("kept until"))
    def kept(self, content: Content) -> SafeString | None:
        return moment(content.keep_until) if content.keep_until else None
