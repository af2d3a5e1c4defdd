"""The mission's routes: without a trailing slash, and fixed for ever."""

from __future__ import annotations

from django.urls import path

from files.api.viewsets import FileViewSet

urlpatterns = [
    path("upload", FileViewSet.as_view({"post": "create"}), name="upload"),
    # `curl -T -` sends no name, and is told so.
    path("upload/", FileViewSet.as_view({"put": "create"}), {"name": ""}, name="upload_nameless"),
    path("upload/<path:name>", FileViewSet.as_view({"put": "create"}), name="upload_raw"),
    path("files", FileViewSet.as_view({"get": "list"}), name="files"),
    path(
        "download/<int:file_id>",
        FileViewSet.as_view({"get": "content", "head": "content"}),
        name="download",
    ),
    path("delete/<int:file_id>", FileViewSet.as_view({"delete": "destroy"}), name="delete"),
]
