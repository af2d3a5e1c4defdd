"""One file in the admin: what is known of it, and all that can be done to it.

Nothing goes through Django's forms for models: they would save rows past the services.
"""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext

from files.admin.actions import SHORT_VERIFY_SIZE
from files.admin.file_form import FileForm
from files.admin.filters import is_id
from files.admin.listing import OperatorAdmin, events_of
from files.admin.operators import operator_of
from files.admin.runs import answer_run, tell
from files.admin.selection import PURGE, TRASH, VERIFY, Task
from files.exceptions import FilesError
from files.http.download import DRAWN_TYPES, INLINE_TYPES, download_response
from files.http.requests import ActorRequest
from files.http.sentences import sentence_of
from files.models import File
from files.services import deletion
from files.services.bulk import run
from files.services.statistics import Amount

# Larger pictures are opened by a link only.
MAX_DRAWN_SIZE = 16 << 20  # bytes
EVENTS_ON_PAGE = 5


class FilePages(OperatorAdmin):
    """The pages of one file, under its id."""

    def get_urls(self) -> list[Any]:
        """Add ours before Django's, whose last one takes every address."""
        views = {
            "content": self.content_view,
            "verify": self.verify_view,
            "restore": self.restore_view,
            "purge": self.purge_view,
        }
        ours = [
            path(
                f"<str:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"files_file_{name}",
            )
            for name, view in views.items()
        ]
        return ours + super().get_urls()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Go to the upload door, which takes files of any size outside of a transaction."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return redirect("files:add")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the file; with POST change what is said of it."""
        file = self._file(request, object_id)
        may_change = self.has_change_permission(request) and file.deleted_at is None
        form = FileForm(file, request.POST if request.method == "POST" else None)
        if request.method == "POST":
            self._require(request, "change")
            actor = operator_of(cast(ActorRequest, request))
            changed = form.save(actor, file.pk) if form.is_valid() else None
            if changed is not None:
                words = gettext("“%(name)s” was saved.")
                messages.success(request, words % {"name": changed.name})
                return redirect("admin:files_file_change", file.pk)
        page = {"form": form, "may_change": may_change, **_shown(file)}
        return self._page(request, "change_form", file, file.name, page)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Ask, then move the file to the trash."""
        if not settings.FILESERVER_TRASH_DAYS:
            return redirect("admin:files_file_purge", object_id)
        return self._delete(request, object_id, TRASH)

    def purge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then delete the file for good."""
        return self._delete(request, object_id, PURGE)

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Bring the file back from the trash."""
        file = self._posted(request, object_id, "change")
        actor = operator_of(cast(ActorRequest, request))
        try:
            deletion.restore_file(actor=actor, file_id=file.pk)
            words = gettext("“%(name)s” was restored.")
            messages.success(request, words % {"name": file.name})
        except FilesError as error:
            messages.error(request, sentence_of(error))
        return redirect("admin:files_file_change", file.pk)

    def verify_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Read every byte again and say whether it is what was uploaded."""
        file = self._posted(request, object_id, "view")
        try:
            return answer_run(
                request,
                VERIFY,
                operator_of(cast(ActorRequest, request)),
                [file.pk],
                context=self.admin_site.each_context(request) | {"opts": self.opts},
                back=reverse("admin:files_file_change", args=[file.pk]),
                is_short=file.size <= SHORT_VERIFY_SIZE,
            )
        except FilesError as error:
            messages.error(request, sentence_of(error))
            return redirect("admin:files_file_change", file.pk)

    def content_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Send the bytes, also of a file in the trash: whoever may look may download."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(("GET", "HEAD"))
        return download_response(request, self._file(request, object_id))

    def _delete(self, request: HttpRequest, object_id: str, task: Task) -> HttpResponse:
        file = self._file(request, object_id)
        self._require(request, "delete")
        if request.method != "POST":
            page = {
                "task": task,
                "amount": Amount(1, file.size),
                "counted": task.counted(1),
                "names": [file],
                "trash_days": settings.FILESERVER_TRASH_DAYS,
                "fields": [("version", file.version)],
                "back": reverse("admin:files_file_change", args=[file.pk]),
            }
            return self._page(request, "confirm", file, str(task.title), page)
        if request.POST.get("version") != str(file.version):
            messages.error(request, gettext("Somebody changed this file meanwhile: look again."))
            return redirect("admin:files_file_change", file.pk)
        for outcome in run(task.perform, operator_of(cast(ActorRequest, request)), [file.pk]):
            tell(request, task, outcome)
        return redirect("admin:files_file_changelist")

    def _file(self, request: HttpRequest, object_id: str) -> File:
        """Return the file, with what its page shows; 404 for an unknown id."""
        self._require(request, "view")
        files = File.everything.without_bytes().select_related("space", "owner", "content")
        file = files.filter(pk=int(object_id)).first() if is_id(object_id) else None
        if file is None:
            raise Http404(gettext("There is no file %(id)s.") % {"id": object_id})
        return file

    def _posted(self, request: HttpRequest, object_id: str, permission: str) -> File:
        if request.method != "POST":
            raise Http404
        file = self._file(request, object_id)
        self._require(request, permission)
        return file

    def _require(self, request: HttpRequest, permission: str) -> None:
        may = {
            "view": self.has_view_or_change_permission,
            "change": self.has_change_permission,
            "delete": self.has_delete_permission,
        }
        if not may[permission](request):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, name: str, file: File, title: str, page: dict[str, Any]
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            "file": file,
            "has_change_permission": self.has_change_permission(request),
            "has_delete_permission": self.has_delete_permission(request),
        }
        folder = "files" if name == "confirm" else "files/file"
        return render(request, f"admin/{folder}/{name}.html", context | page)


def _shown(file: File) -> dict[str, Any]:
    """Return what the page shows besides the row's own columns."""
    content_url = reverse("admin:files_file_content", args=[file.pk])
    is_drawn = file.mime_type in DRAWN_TYPES and 0 < file.size <= MAX_DRAWN_SIZE
    return {
        "content_url": content_url,
        "drawn_url": f"{content_url}?disposition=inline" if is_drawn else "",
        "preview_url": f"{content_url}?disposition=inline"
        if file.mime_type in INLINE_TYPES
        else "",
        "home": home_of(file),
        "events": events_of(file, EVENTS_ON_PAGE),
        "trash_days": settings.FILESERVER_TRASH_DAYS,
    }


def home_of(file: File) -> str:
    """Return where the file's bytes are, in a word for operators."""
    if file.content_id is None:
        return gettext("row")
    return str(file.home)
