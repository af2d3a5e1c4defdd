"""The plain routes, without a trailing slash and fixed for ever, and the versioned API."""

from __future__ import annotations

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter
from rest_framework.routers import SimpleRouter

from files.api.documents import DocsView, SchemaView
from files.api.viewsets import (
    FileViewSet,
    LabelViewSet,
    StatsViewSet,
    TypeViewSet,
    UploadViewSet,
)


class AnythingConverter(StringConverter):
    """Any text, line breaks and none at all included: who stores it says what is wrong."""

    regex = r"(?:.|\s)*"


class UploadIdConverter(StringConverter):
    """The id of an upload: whatever else is there is the address of nothing."""

    regex = "[0-9a-f]{32}"


register_converter(AnythingConverter, "anything")
register_converter(UploadIdConverter, "upload_id")

router = SimpleRouter(use_regex_path=False)
router.register("files", FileViewSet, basename="api-files")
router.register("labels", LabelViewSet, basename="api-labels")
router.register("stats", StatsViewSet, basename="api-stats")
router.register("types", TypeViewSet, basename="api-types")
router.register("uploads", UploadViewSet, basename="api-uploads")

upload = FileViewSet.as_view({"post": "create"}, created_status=200)
upload_raw = FileViewSet.as_view({"put": "create"}, created_status=200)
# As many clients are set up; a redirect would lose a body.
uploads = UploadViewSet.as_view({"post": "create"}, schema=None)

urlpatterns = [
    path("upload", upload, name="upload"),
    path("upload/<anything:name>", upload_raw, name="upload_raw"),
    path("files", FileViewSet.as_view({"get": "stream"}), name="files"),
    path("download/<int:file_id>", FileViewSet.as_view({"get": "content"}), name="download"),
    path("delete/<int:file_id>", FileViewSet.as_view({"delete": "destroy"}), name="delete"),
    path("api/v1/", include(router.urls)),
    path("api/v1/uploads", uploads, name="api-uploads-plain"),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
]
