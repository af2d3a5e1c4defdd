from __future__ import annotations

from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model
from django.utils import translation
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from files.actors import DEFAULT_SPACE_ID
from files.api.negotiation import AlwaysJson
from files.exceptions import (
    InvalidFieldsError,
    InvalidFilterError,
    LengthRequiredError,
    Phrase,
    gettext_noop,
)
from files.http.bodies import body_length
from files.http.requests import ActorRequest
from files.http.uploads import check_csrf
from files.middleware import SAFE_METHODS
from files.permissions import require_write

Row = TypeVar("Row", bound=Model)


class ActorViewSet(GenericViewSet[Row]):
    """What all viewsets of the API have in common: who asks, and how bodies are read."""

    content_negotiation_class = AlwaysJson
    pagination_class = None
    filter_backends = []
    # Without OPTIONS: what REST framework tells there is in the documentation.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    lookup_value_converter = "int"
    # Actions that change nothing, or check the form's token themselves.
    without_token: ClassVar[frozenset[str]] = frozenset()
    # What may be in the address; None where the action looks at that itself.
    parameters: ClassVar[frozenset[str] | None] = frozenset()

    @property
    def http_request(self) -> ActorRequest:
        """Return Django's request: REST framework's own would parse the body."""
        return cast(ActorRequest, self.request._request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the token of a session before anything is changed.

        A script without a session carries nothing that another site could abuse.
        """
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and self.action not in self.without_token:
            # Before the body of somebody who may not write is read.
            require_write(self.http_request.actor, DEFAULT_SPACE_ID)
            if self.http_request.actor.is_known:
                check_csrf(self.http_request, {})
        if self.parameters is not None:
            unknown = self.http_request.GET.keys() - self.parameters
            if unknown:
                sentence = gettext_noop("There is no such parameter.")
                raise InvalidFilterError({name: Phrase(sentence) for name in sorted(unknown)})

    def whole_number(self, name: str, default: int, most: int) -> int:
        """Return a parameter from 1 to `most`; raises InvalidFilterError for any other."""
        text = self.http_request.GET.get(name, str(default))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
            wanted = gettext_noop("A whole number from 1 to %(max)s.")
            raise InvalidFilterError({name: Phrase(wanted, max=most)})
        return int(text)

    def read(self, kind: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """Return the body's fields, cleaned; raises InvalidFieldsError, also for unknown ones."""
        if body_length(self.http_request) is None:
            # REST framework would take it for empty.
            raise LengthRequiredError(gettext_noop("This request needs a Content-Length."))
        data = self.request.data
        serializer = kind(data=data, partial=partial)
        names = {name for name, field in serializer.fields.items() if not field.read_only}
        unknown = data.keys() - names if hasattr(data, "keys") else set()
        if unknown:
            sentence = gettext_noop("There is no such field.")
            raise InvalidFieldsError({name: Phrase(sentence) for name in unknown})
        # In English, as all that programs are told.
        with translation.override(None):
            serializer.is_valid(raise_exception=True)
        cleaned: dict[str, Any] = serializer.validated_data
        return cleaned
