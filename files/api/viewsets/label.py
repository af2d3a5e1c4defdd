from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from files.actors import DEFAULT_SPACE_ID
from files.api.serializers import LabelSerializer
from files.api.viewsets.base import ActorViewSet
from files.exceptions import FileNotFoundInSpaceError, gettext_noop
from files.models import Label
from files.models.label import LabelQuerySet
from files.services.labels import change_label, create_label, delete_label


class LabelViewSet(ActorViewSet[Label]):
    """The labels that can be put on files."""

    serializer_class = LabelSerializer
    lookup_url_kwarg = "label_id"

    def get_queryset(self) -> LabelQuerySet:
        return Label.objects.visible_to(self.http_request.actor).in_space(DEFAULT_SPACE_ID)

    def list(self, request: Request) -> Response:
        """Return all labels, by name."""
        return Response({"results": self.get_serializer(self.get_queryset(), many=True).data})

    def create(self, request: Request) -> Response:
        """Make a label."""
        label = create_label(
            actor=self.http_request.actor,
            space_id=DEFAULT_SPACE_ID,
            **self.read(LabelSerializer),
        )
        url = self.reverse_action("detail", args=[label.pk])
        return Response(self.get_serializer(label).data, status=201, headers={"Location": url})

    def retrieve(self, request: Request, label_id: int) -> Response:
        """Return one label."""
        label = self.get_queryset().filter(pk=label_id).first()
        if label is None:
            raise FileNotFoundInSpaceError(gettext_noop("There is no label %(id)s."), id=label_id)
        return Response(self.get_serializer(label).data)

    def partial_update(self, request: Request, label_id: int) -> Response:
        """Change the name or the color of a label, on all files that have it."""
        label = change_label(
            actor=self.http_request.actor,
            label_id=label_id,
            **self.read(LabelSerializer, partial=True),
        )
        return Response(self.get_serializer(label).data)

    def destroy(self, request: Request, label_id: int) -> Response:
        """Take a label off all files and remove it."""
        delete_label(actor=self.http_request.actor, label_id=label_id)
        return Response(status=204)
