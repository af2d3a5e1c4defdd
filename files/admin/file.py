from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from files.admin.actions import ACTIONS, useless
from files.admin.file_list import FileChangeList, searched
from files.admin.file_page import FilePages, home_of
from files.admin.filters import FILTERS, is_id
from files.http.requests import ActorRequest
from files.models import File
from files.templatetags.display import group_title, icon, moment

SHORT_HASH = 10  # digits


@admin.register(File)
class FileAdmin(FilePages):
    """The list of files; their pages are FilePages'."""

    actions: Any = ACTIONS
    list_display = (
        "file_name",
        "file_type",
        "file_size",
        "uploaded",
        "short_hash",
        "space",
        "owner_name",
        "home",
        "state",
    )
    list_display_links = ("file_name",)
    list_filter: ClassVar[Any] = FILTERS
    # Django shows the search where there are any; `get_search_results` decides.
    search_fields = ("name",)
    search_help_text = _("Part of a name, an id, or a whole SHA-256")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the files with the trash, and never with content."""
        return File.everything.without_bytes()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[FileChangeList]:
        return FileChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return searched(queryset, search_term), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        hidden = useless(cast(ActorRequest, request))
        actions = super().get_actions(request)
        return {name: action for name, action in actions.items() if name not in hidden}

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> Any:
        """Refuse ids that cannot be, which Django answers with a failure."""
        if not all(is_id(pk) for pk in request.POST.getlist(admin.helpers.ACTION_CHECKBOX_NAME)):
            raise BadRequest(gettext("The selection holds what is no file."))
        return super().response_action(request, queryset)

    @admin.display(description=_("name"), ordering="name")
    def file_name(self, file: File) -> SafeString:
        return format_html(
            '<i class="bi {}" aria-hidden="true"></i> <bdi>{}</bdi>', icon(file), file.name
        )

    @admin.display(description=_("type"), ordering="suffix")
    def file_type(self, file: File) -> SafeString:
        return format_html('<span title="{}">{}</span>', file.mime_type, group_title(file.suffix))

    @admin.display(description=_("size"), ordering="size")
    def file_size(self, file: File) -> SafeString:
        return format_html('<span class="nowrap">{}</span>', filesizeformat(file.size))

    @admin.display(description=_("uploaded"), ordering="upload_date")
    def uploaded(self, file: File) -> SafeString:
        return moment(file.upload_date)

    @admin.display(description=_("SHA-256"))
    def short_hash(self, file: File) -> SafeString:
        return format_html('<code title="{}">{}</code>', file.hash, file.hash[:SHORT_HASH])

    @admin.display(description=_("owner"), empty_value="–")
    def owner_name(self, file: File) -> SafeString | None:
        return format_html("<bdi>{}</bdi>", file.owner) if file.owner else None

    @admin.display(description=_("home"))
    def home(self, file: File) -> str:
        return home_of(file)

    @admin.display(description=_("state"))
    def state(self, file: File) -> SafeString | str:
        if file.deleted_at is None:
            return gettext("live")
        return format_html(
            '<span class="in-trash">{} {}</span>',
            gettext("in the trash since"),
            moment(file.deleted_at),
        )
