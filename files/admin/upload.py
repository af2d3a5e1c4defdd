"""Uploads that can be gone on with, in the admin: looked at, and given up, never changed."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from files.admin.filters import DefaultFilter
from files.admin.listing import KeysetChangeList, ReadOnlyAdmin
from files.admin.upload_actions import answer_discard, discard
from files.admin.walking import Order
from files.http.requests import ActorRequest
from files.models import Upload
from files.templatetags.display import moment, progress_in_words

# What Upload-Concat begins with, and what that makes of an upload.
KINDS = {"partia": _("part of a file"), "final;": _("put together of parts")}


class StateFilter(DefaultFilter):
    """Uploads that still take bytes, or what became of the others of the last day."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (Upload.State.RECEIVING, _("Unfinished")),
            (Upload.State.STORED, _("Stored")),
            (Upload.State.DUPLICATE, _("Duplicates")),
        ]

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(state=value)


class UploadChangeList(KeysetChangeList):
    """Uploads in one state, by their last bytes, as the index is; names are walked along it."""

    order = Order(("updated_at", "id"))
    filter_specs: list[Any]

    def passed(self) -> QuerySet[Any] | None:
        if not self.query:
            return None
        rows = self.root_queryset
        for spec in self.filter_specs:
            rows = spec.queryset(spec.request, rows)
        return rows

    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        """Join nothing: the owners of one page are asked for by their ids."""
        return qs.prefetch_related("owner")


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Who brings what, how far it is, and since when nothing came."""

    actions: Any = (discard,)
    change_form_template = "admin/files/upload/change_form.html"
    list_display = ("upload_name", "owner_name", "progress", "last_byte", "expires", "became")
    list_display_links = ("upload_name",)
    list_filter = (StateFilter,)
    # Django shows the search where there are any; `get_search_results` decides.
    search_fields = ("name",)
    search_help_text = _("Part of a name, or an id")
    fields = (
        *("name", "kind_in_words", "folder", "owner_name", "space", "progress", "became"),
        *("begun", "last_byte", "expires", "id"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the uploads without bytes, running hashes and what clients said of them."""
        return Upload.objects.without_bytes().annotate(kind=Left(F("concat"), 6))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UploadChangeList]:
        return UploadChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.replace("\0", "").strip()
        if not text:
            return queryset, False
        return queryset.filter(Q(name__icontains=text) | Q(pk=text.lower())), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer none where all are finished."""
        state = request.GET.get(StateFilter.parameter_name, Upload.State.RECEIVING)
        return super().get_actions(request) if state == Upload.State.RECEIVING else {}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell what the user may; a user with uploads could not be deleted otherwise."""
        return request.user.has_perm("files.delete_upload")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Ask, then give the upload up."""
        uploads = self.get_queryset(request).filter(pk=object_id)
        if not self.has_delete_permission(request):
            raise PermissionDenied
        if not uploads.exists():
            raise Http404(gettext("There is no upload %(id)s.") % {"id": object_id})
        answer: HttpResponseBase = answer_discard(self, cast(ActorRequest, request), uploads)
        return cast(HttpResponse, answer)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Answer 404: events have numbers, and what became of an upload is on its page."""
        raise Http404(gettext("There is nothing at this address."))

    @admin.display(description=_("name"))
    def upload_name(self, upload: Any) -> SafeString:
        kind = KINDS.get(upload.kind)
        if kind is None:
            return format_html("<bdi>{}</bdi>", upload.name)
        return format_html('<bdi>{}</bdi> <span class="quiet">{}</span>', upload.name, kind)

    @admin.display(description=_("kind"))
    def kind_in_words(self, upload: Any) -> Any:
        return KINDS.get(upload.kind, _("file"))

    @admin.display(description=_("owner"), empty_value="–")
    def owner_name(self, upload: Upload) -> SafeString | str:
        return format_html("<bdi>{}</bdi>", upload.owner) if upload.owner else "–"

    @admin.display(description=_("progress"))
    def progress(self, upload: Upload) -> SafeString:
        words = progress_in_words(upload)
        if upload.size is None:
            return format_html('<span class="upload-progress">{}</span>', words)
        part = upload.offset / upload.size if upload.size else 1
        return format_html(
            '<span class="upload-progress"><progress value="{}" max="1" aria-label="{}"></progress>'
            " {} <span>({}%)</span></span>",
            f"{part:.4f}",
            words,
            words,
            int(part * 100),
        )

    @admin.display(description=_("begun"))
    def begun(self, upload: Upload) -> SafeString:
        return moment(upload.created_at)

    @admin.display(description=_("last byte"), ordering="updated_at")
    def last_byte(self, upload: Upload) -> SafeString | str:
        return moment(upload.updated_at) if upload.offset else gettext("none yet")

    @admin.display(description=_("expires"))
    def expires(self, upload: Upload) -> SafeString:
        if upload.expires_at > timezone.now():
            return moment(upload.expires_at)
        return format_html(
            '<span class="expired">{} {}</span>', gettext("expired"), moment(upload.expires_at)
        )

    @admin.display(description=_("state"))
    def became(self, upload: Upload) -> SafeString | str:
        if upload.is_receiving:
            return gettext("unfinished")
        words = gettext("stored as") if upload.state == Upload.State.STORED else gettext("same as")
        page = reverse("admin:files_file_change", args=[upload.file_id])
        return format_html('{} <a href="{}">{}</a>', words, page, upload.file_id)
