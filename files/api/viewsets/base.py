from __future__ import annotations

from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from files.api.negotiation import AlwaysJson
from files.exceptions import InvalidFieldsError, LengthRequiredError, Phrase, gettext_noop
from files.http.bodies import body_length
from files.http.requests import ActorRequest
from files.http.uploads import check_csrf
from files.middleware import SAFE_METHODS

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

    @property
    def http_request(self) -> ActorRequest:
        """Return Django's request: REST framework's own would parse the body."""
        return cast(ActorRequest, self.request._request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the token of a session before anything is changed.

        A script without a session carries nothing that another site could abuse.
        """
        super().initial(request, *args, **kwargs)
        if (
            request.method not in SAFE_METHODS
            and self.action not in self.without_token
            and self.http_request.actor.is_known
        ):
            check_csrf(self.http_request, {})

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
        serializer.is_valid(raise_exception=True)
        cleaned: dict[str, Any] = serializer.validated_data
        return cleaned
