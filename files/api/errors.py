"""Makes problem+json of everything that goes wrong in the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.settings import api_settings

from files.api.serializers import FileSerializer
from files.exceptions import (
    AccessDeniedError,
    BodyCutShortError,
    DuplicateFileError,
    FileNotFoundInSpaceError,
    FilesError,
    InvalidFieldsError,
    InvalidRequestError,
    Phrase,
    RequestTooLargeError,
    gettext_noop,
)
from files.http.faults import refusal_by_fault
from files.http.problems import problem_of, problem_response
from files.models import File


def handle_exception(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Return the answer to `error`, None for what nobody foresaw (Django's 500)."""
    request = context["request"]._request
    error = _in_our_words(refusal_by_fault(request, error) or error)
    if isinstance(error, FilesError):
        return problem_of(request, error, **_details(error, context))
    if isinstance(error, APIException):
        response = problem_response(
            request, status=error.status_code, code=_code(error), detail=str(error.detail)
        )
        for name, value in getattr(error, "headers", {}).items():
            response[name] = value
        return response
    return None


def _in_our_words(error: Exception) -> Exception:
    """Return the error of ours that says the same, else `error` itself."""
    if isinstance(error, Http404):
        return FileNotFoundInSpaceError(gettext_noop("There is nothing here."))
    if isinstance(error, PermissionDenied):
        return AccessDeniedError(gettext_noop("This is not allowed."))
    if isinstance(error, RequestDataTooBig):
        return RequestTooLargeError(
            gettext_noop("This request takes a body of at most %(limit)s bytes."),
            limit=f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,}",
        )
    if isinstance(error, TooManyFieldsSent):
        return InvalidRequestError(
            gettext_noop("A request takes %(limit)s parameters at most; send more in JSON."),
            limit=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
        )
    if isinstance(error, RecursionError):
        return InvalidRequestError(gettext_noop("This JSON is nested too deep."))
    if isinstance(error, UnreadablePostError):
        return BodyCutShortError(gettext_noop("The request's body broke off."))
    if isinstance(error, ValidationError):
        return _invalid_fields(error)
    return error


def _invalid_fields(error: ValidationError) -> InvalidFieldsError:
    """Return a serializer's errors as ours: the first sentence for each field."""
    told: dict[str, Any] = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    phrases = {name: Phrase("%(text)s", text=_first(what)) for name, what in told.items()}
    # What is wrong with the body as a whole.
    if (whole := phrases.pop(api_settings.NON_FIELD_ERRORS_KEY, phrases.pop("", None))) is not None:
        phrases["body"] = whole
    return InvalidFieldsError(phrases)


def _first(told: Any) -> str:
    while isinstance(told, dict | list) and told:
        told = next(iter(told.values())) if isinstance(told, dict) else told[0]
    return str(told)


def _code(error: APIException) -> str:
    return str(error.default_code)


def _details(error: FilesError, context: dict[str, Any]) -> dict[str, Any]:
    if isinstance(error, InvalidFieldsError):
        return {"errors": {name: str(phrase) for name, phrase in error.errors.items()}}
    if isinstance(error, DuplicateFileError):
        files = File.objects.visible_to(context["request"].actor)
        existing = files.filter(pk=error.existing_id).first()
        return {"existing": FileSerializer(existing, context=context).data if existing else None}
    return {}
