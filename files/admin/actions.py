"""What operators do to the files they selected in the list, "select all" included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from files.admin.csv_export import csv_response
from files.admin.filters import StateFilter, is_id
from files.admin.operators import operator_of
from files.admin.runs import answer_run
from files.admin.selection import PURGE, RESTORE, TRASH, VERIFY, Task, amount_of, ids_of
from files.exceptions import FilesError
from files.http.archive import archive_response
from files.http.requests import ActorRequest
from files.http.sentences import sentence_of
from files.models import File, FileQuerySet
from files.services.archive import archive_of

if TYPE_CHECKING:
    from files.admin.listing import OperatorAdmin

# Bytes that are verified at once, without a page of their own.
SHORT_VERIFY_SIZE = 256 << 20
# Names shown before many files are deleted.
SHOWN_NAMES = 10
# Where the page asks first, it says up to which file there were any.
UP_TO_VAR = "up_to"


@admin.action(description=_("Verify: read every byte again"), permissions=["view"])
def verify(page: OperatorAdmin, request: ActorRequest, files: FileQuerySet) -> HttpResponseBase:
    """Compare the bytes of each file with its hash."""
    is_short = not _is_across(request) and amount_of(files).bytes <= SHORT_VERIFY_SIZE
    return _run(page, request, VERIFY, files, is_short=is_short)


@admin.action(description=_("Restore from the trash"), permissions=["change"])
def restore(page: OperatorAdmin, request: ActorRequest, files: FileQuerySet) -> HttpResponseBase:
    """Bring the files back."""
    return _run(page, request, RESTORE, files.exclude(deleted_at=None))


@admin.action(description=_("Move to the trash"), permissions=["delete"])
def trash(page: OperatorAdmin, request: ActorRequest, files: FileQuerySet) -> HttpResponseBase:
    """Ask, then move the files to the trash."""
    return _run_confirmed(page, request, TRASH, files.filter(deleted_at=None))


@admin.action(description=_("Delete for good"), permissions=["delete"])
def purge(page: OperatorAdmin, request: ActorRequest, files: FileQuerySet) -> HttpResponseBase:
    """Ask, then delete the files, whether in the trash or not."""
    return _run_confirmed(page, request, PURGE, files)


@admin.action(description=_("Download as a ZIP archive"), permissions=["view"])
def download_zip(
    page: OperatorAdmin, request: ActorRequest, files: FileQuerySet
) -> HttpResponseBase:
    """Send the files as one archive; what is refused is said in the list."""
    try:
        return archive_response(request, archive_of(files), "files.zip")
    except FilesError as error:
        return _refused(request, error)


@admin.action(description=_("Export as CSV"), permissions=["view"])
def export_csv(page: OperatorAdmin, request: ActorRequest, files: FileQuerySet) -> HttpResponseBase:
    """Send what is known of the files as a table."""
    try:
        return csv_response(files)
    except FilesError as error:
        return _refused(request, error)


ACTIONS = [verify, download_zip, export_csv, restore, trash, purge]


def useless(request: ActorRequest) -> set[str]:
    """Return the actions that none of the listed files can need."""
    state = request.GET.get(StateFilter.parameter_name)
    found = {"restore"} if state in (None, StateFilter.LIVE) else set()
    if state == StateFilter.TRASH or not settings.FILESERVER_TRASH_DAYS:
        found.add("trash")
    return found


def _is_across(request: ActorRequest) -> bool:
    return request.POST.get("select_across") == "1"


def _run_confirmed(
    page: OperatorAdmin, request: ActorRequest, task: Task, files: FileQuerySet
) -> HttpResponseBase:
    if "confirmed" in request.POST:
        return _run(page, request, task, files)
    newest = File.everything.order_by("-pk").values_list("pk", flat=True).first()
    amount = amount_of(files)
    context: dict[str, Any] = page.admin_site.each_context(request) | {
        "title": task.title,
        "opts": page.opts,
        "task": task,
        "amount": amount,
        "counted": task.counted(amount.count),
        "names": list(files[:SHOWN_NAMES]),
        "unnamed": max(0, amount.count - SHOWN_NAMES),
        "trash_days": settings.FILESERVER_TRASH_DAYS,
        "fields": [
            ("action", task.name),
            ("select_across", request.POST.get("select_across", "0")),
            (UP_TO_VAR, newest or 0),
            *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ],
        "back": request.get_full_path(),
    }
    return render(request, "admin/files/confirm.html", context)


def _run(
    page: OperatorAdmin,
    request: ActorRequest,
    task: Task,
    files: FileQuerySet,
    *,
    is_short: bool = True,
) -> HttpResponseBase:
    up_to = request.POST.get(UP_TO_VAR)
    if up_to is not None and not is_id(up_to):
        # Without it, files would be treated that nobody was asked about.
        raise BadRequest(gettext("The selection holds what is no file."))
    ids = ids_of(files, None if up_to is None else int(up_to))
    context = page.admin_site.each_context(request) | {"opts": page.opts}
    try:
        return answer_run(
            request,
            task,
            operator_of(request),
            ids,
            context=context,
            back=request.get_full_path(),
            is_short=is_short,
        )
    except FilesError as error:
        return _refused(request, error)


def _refused(request: ActorRequest, error: FilesError) -> HttpResponseBase:
    messages.error(request, sentence_of(error))
    return HttpResponseRedirect(request.get_full_path())
