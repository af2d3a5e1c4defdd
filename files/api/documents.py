"""The OpenAPI document, and the page to read it and to try it out."""

from __future__ import annotations

import functools
import hashlib
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from files.api.negotiation import AlwaysJson
from files.api.schema import FilesSchemaGenerator


class FormatOrAccept(DefaultContentNegotiation):
    """What `?format=` names, else what `Accept` prefers, else the first."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        if wanted := request.GET.get("format"):
            renderer = self.filter_renderers(renderers, wanted)[0]
            return renderer, renderer.media_type
        return super().select_renderer(request, renderers, format_suffix)


class SchemaView(APIView):
    """The OpenAPI document, as JSON or, with `?format=yaml` or by `Accept`, as YAML."""

    content_negotiation_class = FormatOrAccept
    renderer_classes = [
        OpenApiJsonRenderer,
        OpenApiJsonRenderer2,
        OpenApiYamlRenderer,
        OpenApiYamlRenderer2,
    ]
    http_method_names = ["get", "head"]
    schema = None

    def get(self, request: Request) -> HttpResponseBase | None:
        """Answer with the document, or 304 to who has it."""
        renderer = request.accepted_renderer
        body, etag = rendered(is_yaml=isinstance(renderer, OpenApiYamlRenderer))
        response = HttpResponse(
            body,
            content_type=f"{renderer.media_type}; charset=utf-8",
            headers={"ETag": etag, "Vary": "Accept"},
        )
        answer = get_conditional_response(request._request, etag, None, response)
        if answer is not None and answer.status_code == HTTPStatus.NOT_MODIFIED:
            # The length that the document has: CommonMiddleware would claim that it has none.
            answer.headers["Content-Length"] = str(len(body))
        return answer


class DocsView(APIView):
    """A page with every operation, to try it out: Swagger UI in the look of our pages.

    Not drf-spectacular's view, whose templates need inline script and style, or a script that
    is made for each request; here all of it is in static files.
    """

    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Answer with the page, which fetches the document."""
        return render(request._request, "api/docs.html")


@functools.cache
def rendered(*, is_yaml: bool) -> tuple[bytes, str]:
    """Return the document and its entity tag; made once in a process, in half a second."""
    renderer: BaseRenderer = OpenApiYamlRenderer() if is_yaml else JSONRenderer()
    body: bytes = renderer.render(document(), None, {})  # type: ignore[assignment]  # never text
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


@functools.cache
def document() -> dict[str, Any]:
    """Return the document as an object; nothing in it depends on the request."""
    generator = FilesSchemaGenerator()  # type: ignore[no-untyped-call]  # annotated in part only
    return generator.get_schema(public=True)
