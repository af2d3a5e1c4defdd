from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from files.actors import DEFAULT_SPACE_ID
from files.api.serializers import StatsSerializer
from files.api.viewsets.base import ActorViewSet
from files.exceptions import InvalidFilterError, Phrase, gettext_noop
from files.models import Total
from files.permissions import require_read_in
from files.services.statistics import library_statistics

MAX_DAYS = 3660
DEFAULT_DAYS = 30


class StatsViewSet(ActorViewSet[Total]):
    """Figures of the library as a whole."""

    serializer_class = StatsSerializer

    def list(self, request: Request) -> Response:
        """Return totals by type, day and home; `days` is how far back the days go."""
        require_read_in(self.http_request.actor, DEFAULT_SPACE_ID)
        figures = library_statistics(space_id=DEFAULT_SPACE_ID, days=self._days())
        return Response(self.get_serializer(figures).data)

    def _days(self) -> int:
        text = self.request.GET.get("days", str(DEFAULT_DAYS))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_DAYS:
            sentence = gettext_noop("A whole number from 1 to %(max)s.")
            raise InvalidFilterError({"days": Phrase(sentence, max=MAX_DAYS)})
        return int(text)
