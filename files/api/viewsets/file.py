from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from files.actors import DEFAULT_SPACE_ID
from files.api.selection import selected_files, selection_of
from files.api.serializers import CheckSerializer, FilePatchSerializer, FileSerializer
from files.api.viewsets.base import ActorViewSet
from files.exceptions import FileNotFoundInSpaceError, gettext_noop
from files.filters import filter_files, ordering_of
from files.http.archive import archive_response
from files.http.download import download_response
from files.http.preconditions import if_match_passes, if_none_match_passes
from files.http.uploads import check_csrf, receive_upload
from files.models import File, FileQuerySet
from files.paging import page_of
from files.services.archive import archive_of
from files.services.deletion import delete_file
from files.services.editing import edit_file

# Rows of one query while a list is streamed.
LIST_BATCH = 500
PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
PAGING = ("after", "before", "page_size")

# By the ids of files.
LabelNames = dict[int, list[str]]


class FileViewSet(ActorViewSet[File]):
    """The files that the caller may know of: upload, list, download, change, delete."""

    serializer_class = FileSerializer
    lookup_url_kwarg = "file_id"
    parameters = None
    without_token = frozenset({"archive", "check", "create"})
    # The routes without a version answer an upload with 200.
    created_status: int = HTTPStatus.CREATED

    def get_queryset(self) -> FileQuerySet:
        return File.objects.visible_to(self.http_request.actor)

    def create(self, request: Request, name: str | None = None) -> Response:
        """Store one file: the part `file` of a form, or the whole body as `name`."""

        def check_token(fields: Mapping[str, str]) -> None:
            # A script without a session carries nothing that another site could abuse.
            if self.http_request.actor.is_known:
                check_csrf(self.http_request, fields)

        file = receive_upload(self.http_request, name=name, check_fields=check_token)
        headers = {}
        if self.created_status == HTTPStatus.CREATED:
            headers["Location"] = self.reverse_action("detail", args=[file.pk])
        # A new file has no labels, one from the trash may have some.
        labels: LabelNames | None = {} if file.version == 1 else None
        (described,) = self._represent([file], labels)
        return Response(described, self.created_status, headers=headers)

    def list(self, request: Request) -> Response:
        """Return one page of the files that the filters ask for, newest first."""
        files = filter_files(self.get_queryset(), request.GET, besides=PAGING)
        size = self.whole_number("page_size", PAGE_SIZE, MAX_PAGE_SIZE)
        page = page_of(files, ordering_of(request.GET), request.GET, limit=size)
        here = self.http_request.build_absolute_uri(self.http_request.path)
        return Response(
            {
                "next": here + page.next if page.next else None,
                "previous": here + page.previous if page.previous else None,
                "results": list(self._represent(page.files)),
            }
        )

    def stream(self, request: Request) -> HttpResponseBase:
        """Stream the files that the filters ask for, newest first, as one JSON array."""
        files = filter_files(self.get_queryset(), request.GET).as_rows()
        ordering = ordering_of(request.GET)
        first = files.page(ordering, LIST_BATCH)
        return StreamingHttpResponse(
            self._json_array(files, ordering, first), content_type="application/json"
        )

    def retrieve(self, request: Request, file_id: int) -> HttpResponseBase:
        """Return what is known of one file; its `ETag` names its version."""
        file = self._file(self.get_queryset(), file_id)
        known = request.headers.get("If-None-Match")
        if known is not None and not if_none_match_passes(known, file.version_etag):
            return HttpResponseNotModified(headers={"ETag": file.version_etag})
        return self._described(file)

    def partial_update(self, request: Request, file_id: int) -> Response:
        """Change name, folder or labels; `If-Match` may name the version that is meant."""
        file = edit_file(
            actor=self.http_request.actor,
            file_id=file_id,
            is_known=lambda file: self._names(file.version_etag),
            **self.read(FilePatchSerializer),
        )
        return self._described(file)

    def destroy(self, request: Request, file_id: int) -> Response:
        """Delete one file; `If-Match` may name its version or its bytes."""
        actor = self.http_request.actor
        delete_file(
            actor=actor,
            file_id=file_id,
            is_known=lambda file: self._names(file.version_etag, file.etag),
        )
        return Response(status=204)

    @action(detail=True)
    def content(self, request: Request, file_id: int) -> HttpResponseBase:
        """Answer with the bytes, or the ranges of them that were asked for."""
        # With the bytes: those of a small file are in its row.
        files = self.get_queryset().defer(None).select_related("content")
        return download_response(self.http_request, self._file(files, file_id))

    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> Response:
        """Tell which files are stored already, by their SHA-256."""
        hashes = [hash.lower() for hash in self.read(CheckSerializer)["hashes"]]
        kept = File.everything.in_spaces_of(self.http_request.actor).in_space(DEFAULT_SPACE_ID)
        found: dict[str, tuple[str, int | None]] = {}
        for start in range(0, len(hashes), LIST_BATCH):
            some = kept.filter(hash__in=hashes[start : start + LIST_BATCH])
            for hash, file_id, deleted_at in some.values_list("hash", "pk", "deleted_at"):
                if deleted_at is None:
                    found[hash] = ("stored", file_id)
                elif DEFAULT_SPACE_ID in self.http_request.actor.writable:
                    # Nobody else's business: only who may upload can bring it back.
                    found[hash] = ("trashed", None)
        states = [(hash, *found.get(hash, ("absent", None))) for hash in hashes]
        results = [{"hash": hash, "state": state, "id": id} for hash, state, id in states]
        return Response({"results": results})

    @action(detail=False, methods=["get", "post"], parser_classes=[JSONParser, FormParser])
    def archive(self, request: Request) -> HttpResponseBase:
        """Send the files with these ids, or what the filters find, as one ZIP archive."""
        files = selected_files(self.get_queryset(), selection_of(request))
        return archive_response(self.http_request, archive_of(files), "files.zip")

    def _file(self, files: FileQuerySet, file_id: int) -> File:
        # Not `first()`: putting its order together takes longer than the query.
        file = next(iter(files.filter(pk=file_id).order_by()), None)
        if file is None:
            raise FileNotFoundInSpaceError(gettext_noop("There is no file %(id)s."), id=file_id)
        return file

    def _represent(
        self, files: Collection[File], labels: LabelNames | None = None
    ) -> Iterator[dict[str, Any]]:
        return FileSerializer(context=self.get_serializer_context()).represent(files, labels)

    def _described(self, file: File) -> Response:
        return Response(self.get_serializer(file).data, headers={"ETag": file.version_etag})

    def _names(self, *etags: str) -> bool:
        """Tell whether an `If-Match`, if there is one, names one of the tags."""
        if_match = self.request.headers.get("If-Match")
        return if_match is None or if_match_passes(if_match, *etags)

    def _json_array(
        self, files: FileQuerySet, ordering: str, batch: Sequence[File]
    ) -> Iterator[str]:
        """Yield a batch at a time, each a query of its own: no transaction stays open."""
        separator = "["
        while batch:
            yield separator + ",".join(json.dumps(file) for file in self._represent(batch))
            separator = ","
            full = len(batch) == LIST_BATCH
            batch = files.page(ordering, LIST_BATCH, after=batch[-1]) if full else []
        yield "[]" if separator == "[" else "]"
