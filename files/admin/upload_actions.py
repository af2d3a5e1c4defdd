"""What operators do to the uploads they selected in the list, "select all" included."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.db.models import Count, QuerySet, Sum
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from files.admin.actions import SHOWN_NAMES, UP_TO_VAR
from files.admin.operators import operator_of
from files.admin.runs import answer_run
from files.admin.selection import DISCARD
from files.exceptions import FilesError
from files.http.requests import ActorRequest
from files.http.sentences import sentence_of
from files.services.statistics import Amount

if TYPE_CHECKING:
    from files.admin.listing import OperatorAdmin


@admin.action(description=_("Discard"), permissions=["delete"])
def discard(page: OperatorAdmin, request: ActorRequest, uploads: QuerySet[Any]) -> HttpResponseBase:
    """Ask, then give the uploads up."""
    return answer_discard(page, request, uploads, back=request.get_full_path())


def answer_discard(
    page: OperatorAdmin, request: ActorRequest, uploads: QuerySet[Any], *, back: str = ""
) -> HttpResponseBase:
    """Ask; where that was answered, give the unfinished ones of the uploads up, and go `back`."""
    unfinished = uploads.unfinished()  # type: ignore[attr-defined]  # of Upload's own queryset
    back = back or reverse(DISCARD.list_page)
    if "confirmed" not in request.POST:
        return _asked(page, request, unfinished, back)
    # What began after the question was not asked about. Ids tell nothing of that.
    unfinished = unfinished.filter(created_at__lte=_time_of_question(request))
    ids = list(unfinished.order_by().values_list("pk", flat=True))
    context = page.admin_site.each_context(request) | {"opts": page.opts}
    try:
        return answer_run(request, DISCARD, operator_of(request), ids, context=context, back=back)
    except FilesError as error:
        messages.error(request, sentence_of(error))
        return HttpResponseRedirect(back)


def _asked(
    page: OperatorAdmin, request: ActorRequest, uploads: QuerySet[Any], back: str
) -> HttpResponseBase:
    found = uploads.order_by().aggregate(count=Count("pk"), bytes=Sum("offset"))
    amount = Amount(found["count"], found["bytes"] or 0)
    selected = [(ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)]
    context: dict[str, Any] = page.admin_site.each_context(request) | {
        "title": DISCARD.title,
        "opts": page.opts,
        "task": DISCARD,
        "amount": amount,
        "counted": DISCARD.counted(amount.count),
        "names": list(uploads[:SHOWN_NAMES]),
        "unnamed": max(0, amount.count - SHOWN_NAMES),
        "fields": [
            ("action", DISCARD.name),
            ("select_across", request.POST.get("select_across", "0")),
            (UP_TO_VAR, timezone.now().isoformat()),
            *selected,
        ],
        "back": back,
    }
    return render(request, "admin/files/confirm.html", context)


def _time_of_question(request: ActorRequest) -> datetime:
    try:
        asked = parse_datetime(request.POST.get(UP_TO_VAR, ""))
    except ValueError:
        asked = None
    if asked is None or asked.tzinfo is None:
        raise BadRequest(gettext("The answer does not tell when it was asked for."))
    return asked
