from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from files.api.serializers import FileSerializer
from files.exceptions import FileNotFoundInSpaceError, gettext_noop
from files.filters import filter_files, ordering_of
from files.http.download import download_response
from files.http.preconditions import if_match_passes
from files.http.requests import ActorRequest
from files.http.uploads import check_csrf, receive_upload
from files.models import File, FileQuerySet
from files.services.deletion import delete_file

# Rows of one query while a list is streamed.
LIST_BATCH = 500


class AlwaysJson(BaseContentNegotiation):
    """The first renderer, whatever `Accept` says: these routes have one form."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class FileViewSet(GenericViewSet[File]):
    """The files that the caller may know of: upload, list, download, delete."""

    serializer_class = FileSerializer
    content_negotiation_class = AlwaysJson
    # Without OPTIONS: what REST framework tells there is in the documentation.
    http_method_names = ["get", "head", "post", "put", "delete"]

    @property
    def http_request(self) -> ActorRequest:
        """Return Django's request: REST framework's own would parse the body."""
        return cast(ActorRequest, self.request._request)

    def get_queryset(self) -> FileQuerySet:
        return File.objects.visible_to(self.http_request.actor)

    def check_token(self, fields: Mapping[str, str]) -> None:
        """Check the form's token where a session was used.

        A script without one carries nothing that another site could abuse.
        """
        if self.http_request.actor.is_known:
            check_csrf(self.http_request, fields)

    def create(self, request: Request, name: str | None = None) -> Response:
        """Store one file: the part `file` of a form, or the whole body as `name`."""
        file = receive_upload(self.http_request, name=name, check_fields=self.check_token)
        return Response(self.get_serializer(file).data)

    def list(self, request: Request) -> HttpResponseBase:
        """Stream the files that the filters ask for, newest first, as one JSON array."""
        files = filter_files(self.get_queryset(), request.GET)
        ordering = ordering_of(request.GET)
        first = files.page(ordering, LIST_BATCH)
        return StreamingHttpResponse(
            self._json_array(files, ordering, first), content_type="application/json"
        )

    def _json_array(
        self, files: FileQuerySet, ordering: str, batch: Sequence[File]
    ) -> Iterator[str]:
        """Yield a batch at a time, each a query of its own: no transaction stays open."""
        represent = self.get_serializer().to_representation
        separator = "["
        while batch:
            yield separator + ",".join(json.dumps(represent(file)) for file in batch)
            separator = ","
            full = len(batch) == LIST_BATCH
            batch = files.page(ordering, LIST_BATCH, after=batch[-1]) if full else []
        yield "[]" if separator == "[" else "]"

    def content(self, request: Request, file_id: int) -> HttpResponseBase:
        """Answer with the bytes, or the ranges of them that were asked for."""
        # With the bytes: those of a small file are in its row.
        files = self.get_queryset().defer(None).select_related("content")
        file = files.filter(pk=file_id).first()
        if file is None:
            raise FileNotFoundInSpaceError(gettext_noop("There is no file %(id)s."), id=file_id)
        return download_response(self.http_request, file)

    def destroy(self, request: Request, file_id: int) -> HttpResponse:
        """Delete one file; `If-Match` may name its version or its bytes."""
        self.check_token({})
        if_match = request.headers.get("If-Match")

        def is_known(file: File) -> bool:
            return if_match is None or if_match_passes(if_match, file.version_etag, file.etag)

        delete_file(actor=self.http_request.actor, file_id=file_id, is_known=is_known)
        return HttpResponse(status=204)
