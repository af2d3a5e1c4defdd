from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from files.api.serializers import UploadSerializer
from files.api.viewsets.base import ActorViewSet
from files.exceptions import FilesError, UnsupportedVersionError, UploadConflictError
from files.http.problems import problem_of
from files.http.tus import Assembly, create_upload, receive_piece
from files.http.tus_answers import (
    concat_headers,
    progress_headers,
    server_headers,
    upload_headers,
)
from files.http.tus_headers import VERSION, require_version
from files.models import Upload
from files.services import resumable


class UploadViewSet(ActorViewSet[Upload]):
    """Uploads that can be gone on with after a break: tus 1.0.0."""

    serializer_class = UploadSerializer
    http_method_names = ["get", "head", "post", "patch", "delete", "options"]
    lookup_url_kwarg = "upload_id"
    lookup_value_converter = "upload_id"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse other versions of the protocol; GET is none of its methods."""
        if self.action is not None and request.method not in ("GET", "OPTIONS"):
            require_version(request.headers)
        super().initial(request, *args, **kwargs)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Tell what this server can: versions, extensions, algorithms, the longest upload."""
        return Response(status=HTTPStatus.NO_CONTENT, headers=server_headers())

    def create(self, request: Request) -> HttpResponseBase:
        """Begin an upload, perhaps with its first bytes, or put one together of others."""
        upload = create_upload(self.http_request)
        if not upload.is_final:
            return self._made(upload)
        assembly = Assembly(
            self.http_request, upload, tell=self._json, tell_refusal=self._problem_json
        )
        finished = assembly.finish_early()
        if finished is not None:
            return self._made(finished)
        return StreamingHttpResponse(
            assembly,
            status=HTTPStatus.CREATED,
            content_type="application/json",
            headers=self._headers_of_new(upload),
        )

    def retrieve(self, request: Request, upload_id: str) -> Response:
        """Tell how far an upload is, and which file it became."""
        upload = resumable.find_upload(actor=self.http_request.actor, upload_id=upload_id)
        return Response(self.get_serializer(upload).data, headers=upload_headers(upload))

    def partial_update(self, request: Request, upload_id: str) -> Response:
        """Add the next bytes, from `Upload-Offset` on; the last ones store the file."""
        upload = receive_piece(self.http_request, upload_id)
        return Response(status=HTTPStatus.NO_CONTENT, headers=progress_headers(upload))

    def destroy(self, request: Request, upload_id: str) -> Response:
        """Forget an upload and give up its bytes; a file that was made of it stays."""
        resumable.terminate_upload(actor=self.http_request.actor, upload_id=upload_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal with what a client needs to go on."""
        response = super().handle_exception(exc)
        if isinstance(exc, UploadConflictError):
            response["Upload-Offset"] = str(exc.offset)
        if isinstance(exc, UnsupportedVersionError):
            response["Tus-Version"] = VERSION
        return response

    def _made(self, upload: Upload) -> Response:
        return Response(
            self.get_serializer(upload).data,
            HTTPStatus.CREATED,
            headers=self._headers_of_new(upload),
        )

    def _headers_of_new(self, upload: Upload) -> dict[str, str]:
        # Without scheme and host: behind any proxy it is right.
        location = reverse("files:api-uploads-detail", args=[upload.pk])
        return {"Location": location} | progress_headers(upload) | concat_headers(upload)

    def _json(self, upload: Upload) -> bytes:
        told: bytes = JSONRenderer().render(self.get_serializer(upload).data)
        return told

    def _problem_json(self, error: FilesError) -> bytes:
        return problem_of(self.http_request, error).content
