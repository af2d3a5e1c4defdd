"""The upload form, for browsers without JavaScript; with it, they use the API's route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt

from files.actors import DEFAULT_SPACE_ID
from files.exceptions import DuplicateFileError, FilesError
from files.forms import UploadForm
from files.http.problems import status_of
from files.http.requests import ActorRequest
from files.http.sentences import sentence_of
from files.http.uploads import check_csrf, receive_upload
from files.models import File
from files.permissions import require_write
from files.views.errors import refused
from files.views.methods import require_methods

# Bytes from which on a script sends a file in pieces, so that it can go on where it was; a
# smaller one is sent again as fast.
LARGE_FROM: Final = 16 << 20
# Proxies limit bodies, some to 100 MB; and what follows a piece waits for its answer.
PIECE_SIZE: Final = 64 << 20


# Exempt, so that Django doesn't parse the body to find the token: `check_csrf` does
# when the part that holds it has come, before the file.
@csrf_exempt
@require_methods("GET", "HEAD", "POST")
def add_file(request: ActorRequest) -> HttpResponseBase:
    """Show the form; take a file in and show its page, or say why it was refused."""
    if request.method != "POST":
        try:
            require_write(request.actor, DEFAULT_SPACE_ID)
        except FilesError as error:
            return refused(request, error)
        return _form(request)

    def check_fields(fields: Mapping[str, str]) -> None:
        check_csrf(request, fields)

    try:
        file = receive_upload(request, check_fields=check_fields)
    except DuplicateFileError as error:
        files = File.objects.visible_to(request.actor)
        existing = files.filter(pk=error.existing_id).first()
        sentence = gettext("Not stored again: the same bytes are there already.")
        return _form(request, error, sentence=sentence, existing=existing)
    except FilesError as error:
        return _form(request, error, sentence=sentence_of(error))
    messages.success(request, gettext("“%(name)s” is stored.") % {"name": file.name})
    return redirect(file)


def drop_zone() -> dict[str, Any]:
    """Return what the template of the drop zone shows."""
    return {
        "upload_form": UploadForm(),
        "upload_limit": settings.FILESERVER_MAX_UPLOAD_SIZE,
        "large_from": LARGE_FROM,
        "piece_size": PIECE_SIZE,
    }


def _form(
    request: ActorRequest,
    error: FilesError | None = None,
    *,
    sentence: str = "",
    existing: File | None = None,
) -> HttpResponse:
    context = drop_zone() | {"upload_error": sentence, "existing": existing}
    status = status_of(error) if error else None
    return render(request, "files/add.html", context, status=status)
