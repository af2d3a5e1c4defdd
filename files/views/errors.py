"""What goes wrong, in words: a page for people, problem+json for programs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.log import log_response
from django.utils.translation import gettext

from files.exceptions import AuthenticationRequiredError, FilesError
from files.http.faults import refusal_by_fault
from files.http.problems import (
    headers_of,
    problem_of,
    problem_response,
    status_of,
    title_of,
    wants_html,
)
from files.http.sentences import sentence_of

logger = logging.getLogger(__name__)

# These answer programs, whatever they accept.
API_PATHS = ("upload", "files", "download", "delete", "api", "healthz", "readyz", "metrics")
# For the moment when not even a template can be rendered.
LAST_RESORT = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><title>Server error</title>
<h1>Server error</h1>
<p>The server failed at this request. Nothing was stored or deleted by it.</p>
</html>
"""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400; only our own BadRequest says more than that."""
    own = isinstance(exception, BadRequest) and str(exception)
    sentence = str(exception) if own else gettext("The server does not understand this request.")
    return answer(request, 400, "bad_request", sentence)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 403; only our own refusals say more than that."""
    told = exception.args[0] if exception.args else None
    if isinstance(told, FilesError):
        return refused(request, told)
    return answer(request, 403, "access_denied", gettext("You may not do this."))


def method_not_allowed(request: HttpRequest, methods: Sequence[str]) -> HttpResponse:
    """Answer 405, with `Allow`."""
    allowed = ", ".join(methods)
    sentence = gettext("This address does not do that; it knows %(methods)s.")
    response = answer(request, 405, "method_not_allowed", sentence % {"methods": allowed})
    response["Allow"] = allowed
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without the right token; `reason` is for the log, not for people."""
    sentence = gettext(
        "The form was too old, or came from another site. Go back, reload the page and try again."
    )
    return answer(request, 403, "csrf_failed", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; the resolver's own Http404 carries no sentence but its workings."""
    told = exception.args[0] if isinstance(exception, Http404) and exception.args else None
    sentence = told if isinstance(told, str) else gettext("There is nothing at this address.")
    return answer(request, 404, "not_found", sentence)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without a query and without a word of what happened.

    Whatever raised, be it a view or what came before it: where that is the database, being
    away, busy or full, the answer is 503 or 507.
    """
    error = sys.exception()
    refusal = None if error is None else refusal_by_fault(request, error)
    try:
        if refusal is not None:
            status = status_of(refusal)
            response = answer(request, status, refusal.code, sentence_of(refusal))
            # As Django would, but without a traceback.
            log_response("%s: %s", title_of(status), request.path, response=response)
            return response
        sentence = gettext("The server failed at this request; the failure was noted.")
        return answer(request, 500, "server_error", sentence)
    except Exception:  # noqa: BLE001  # whatever it is, there is nobody left to tell
        logger.exception("The page for server errors cannot be rendered")
        return HttpResponse(LAST_RESORT, status=500)


def refused(request: HttpRequest, error: FilesError) -> HttpResponseBase:
    """Answer a page's request that a service refused."""
    if not _is_for_people(request):
        return problem_of(request, error)
    if isinstance(error, AuthenticationRequiredError):
        return redirect_to_login(request.get_full_path())
    return answer(request, status_of(error), error.code, sentence_of(error))


def answer(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    """Return a page, or a problem where a program asks; neither needs the database."""
    if not _is_for_people(request):
        return problem_response(request, status=status, code=code, detail=sentence)
    context = {
        "status": status,
        "title": _title(status),
        "sentence": sentence,
        "request_id": getattr(request, "request_id", "") if status >= 500 else "",
    }
    # Without the request: its context processors would ask for user and messages.
    page = render_to_string("error.html", context)
    return HttpResponse(page, status=status, headers=headers_of(status))


def _is_for_people(request: HttpRequest) -> bool:
    first = request.path_info.lstrip("/").partition("/")[0]
    return first not in API_PATHS and wants_html(request)


def _title(status: int) -> str:
    titles = {
        400: gettext("Not understood"),
        403: gettext("Not allowed"),
        404: gettext("Not found"),
        500: gettext("Server error"),
        503: gettext("Busy"),
    }
    return titles.get(status) or title_of(status)
