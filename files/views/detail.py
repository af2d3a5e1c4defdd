"""One file's page, and the question before it is deleted."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from files.exceptions import FilesError
from files.http.download import DRAWN_TYPES
from files.http.requests import ActorRequest
from files.models import File
from files.permissions import require_write
from files.services import deletion
from files.views.errors import refused
from files.views.methods import require_methods, require_safe

# Larger pictures are for downloading.
MAX_PREVIEW_SIZE = 32 << 20  # bytes


@require_safe
def file_detail(request: ActorRequest, file_id: int) -> HttpResponse:
    """Show what is known of a file, and the file itself where it is a picture."""
    file = _file(request, file_id)
    preview_url = ""
    if file.mime_type in DRAWN_TYPES and 0 < file.size <= MAX_PREVIEW_SIZE:
        preview_url = reverse("files:download", args=[file.pk]) + "?disposition=inline"
    group_url = f"{reverse('files:list')}?{urlencode({'suffix': file.suffix})}"
    context = {"file": file, "preview_url": preview_url, "group_url": group_url}
    return render(request, "files/detail.html", context)


@require_methods("GET", "HEAD", "POST")
def delete_file(request: ActorRequest, file_id: int) -> HttpResponseBase:
    """Ask, and with POST delete the file and go to the list."""
    file = _file(request, file_id)
    try:
        require_write(request.actor, file.space_id)
        if request.method != "POST":
            return render(request, "files/delete.html", {"file": file})
        deletion.delete_file(actor=request.actor, file_id=file_id)
    except FilesError as error:
        return refused(request, error)
    messages.success(request, gettext("“%(name)s” was deleted.") % {"name": file.name})
    return redirect("files:list")


def _file(request: ActorRequest, file_id: int) -> File:
    file = File.objects.visible_to(request.actor).filter(pk=file_id).first()
    if file is None:
        raise Http404(gettext("There is no file %(id)s.") % {"id": file_id})
    return file
