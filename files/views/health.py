from __future__ import annotations

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from files.http.problems import problem_response
from files.views.methods import require_safe


@csrf_exempt  # It changes nothing: other methods are 405, not a form without a token.
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Tell that the process answers; no query."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Tell whether the database answers; no details to strangers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return problem_response(
            request, status=503, code="not_ready", detail="The server cannot work at the moment."
        )
    return JsonResponse({"status": "ok"})


healthz.open_to_all = readyz.open_to_all = True  # type: ignore[attr-defined]  # read by ActorMiddleware
