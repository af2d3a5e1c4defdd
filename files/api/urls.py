"""The mission's routes: without a trailing slash, and fixed for ever."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from files.api.viewsets import FileViewSet


class AnythingConverter(StringConverter):
    """Any text, line breaks and none at all included: who stores it says what is wrong."""

    regex = r"(?:.|\s)*"


register_converter(AnythingConverter, "anything")

urlpatterns = [
    path("upload", FileViewSet.as_view({"post": "create"}), name="upload"),
    path("upload/<anything:name>", FileViewSet.as_view({"put": "create"}), name="upload_raw"),
    path("files", FileViewSet.as_view({"get": "list"}), name="files"),
    path(
        "download/<int:file_id>",
        FileViewSet.as_view({"get": "content", "head": "content"}),
        name="download",
    ),
    path("delete/<int:file_id>", FileViewSet.as_view({"delete": "destroy"}), name="delete"),
]
