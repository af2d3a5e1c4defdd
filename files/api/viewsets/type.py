from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from files.actors import DEFAULT_SPACE_ID
from files.api.serializers.stats import TypeSerializer
from files.api.viewsets.base import ActorViewSet
from files.models import Total
from files.models.total import TotalQuerySet


class TypeViewSet(ActorViewSet[Total]):
    """The groups of the list: files of one suffix each."""

    serializer_class = TypeSerializer

    def get_queryset(self) -> TotalQuerySet:
        return Total.objects.visible_to(self.http_request.actor).in_space(DEFAULT_SPACE_ID)

    def list(self, request: Request) -> Response:
        """Return each group's suffix, number of files and bytes."""
        return Response({"results": list(self.get_queryset().by_suffix())})
