from __future__ import annotations

from django.apps import AppConfig

from files import checks  # noqa: F401  # registers them


class FilesConfig(AppConfig):
    name = "files"
    verbose_name = "File server"
