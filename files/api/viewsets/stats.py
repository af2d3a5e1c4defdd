from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from files.actors import DEFAULT_SPACE_ID
from files.api.serializers import StatsSerializer
from files.api.viewsets.base import ActorViewSet
from files.models import Total
from files.permissions import require_read_in
from files.services.statistics import library_statistics

MAX_DAYS = 3660
DEFAULT_DAYS = 30


class StatsViewSet(ActorViewSet[Total]):
    """Figures of the library as a whole."""

    serializer_class = StatsSerializer
    parameters = frozenset({"days"})

    def list(self, request: Request) -> Response:
        """Return totals by type, day and home; `days` is how far back the days go."""
        require_read_in(self.http_request.actor, DEFAULT_SPACE_ID)
        days = self.whole_number("days", DEFAULT_DAYS, MAX_DAYS)
        figures = library_statistics(space_id=DEFAULT_SPACE_ID, days=days)
        return Response(self.get_serializer(figures).data)
