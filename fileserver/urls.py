"""The addresses of the site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("files.urls")),
]

handler400 = "files.views.errors.bad_request"
handler403 = "files.views.errors.forbidden"
handler404 = "files.views.errors.not_found"
handler500 = "files.views.errors.server_error"
