"""The pages, the plain routes, and the probes."""

from __future__ import annotations

from django.urls import include, path

from files.views import browse, detail, health, upload

app_name = "files"

urlpatterns = [
    path("", browse.file_list, name="list"),
    path("add/", upload.add_file, name="add"),
    path("view/<int:file_id>/", detail.file_detail, name="detail"),
    path("view/<int:file_id>/delete/", detail.delete_file, name="delete_page"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("files.api.urls")),
]
