from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

# Two thirds of what apps bring: pages that are switched off, and files for other set-ups.
UNUSED: Final = (
    "drf_spectacular_sidecar/redoc/*",
    "drf_spectacular_sidecar/swagger-ui-dist/favicon*",
    "drf_spectacular_sidecar/swagger-ui-dist/oauth2-redirect*",
    "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js.map",
    "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-standalone-preset*",
    "rest_framework/*",
)


class UsedFilesFinder(AppDirectoriesFinder):
    """Finds the static files of apps, and collects those alone that a page asks for."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        """Yield each file that is to be collected, with its storage."""
        return super().list([*(ignore_patterns or ()), *UNUSED])


class ModuleManifestStorage(ManifestStaticFilesStorage):
    """Names files by their hash, also where one JavaScript module imports another.

    Else modules would load each other under plain names, which browsers keep for a day
    after an upgrade.
    """

    support_js_module_import_aggregation = True
