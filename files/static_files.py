from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class ModuleManifestStorage(ManifestStaticFilesStorage):
    """Names files by their hash, also where one JavaScript module imports another.

    Else modules would load each other under plain names, which browsers keep for a day
    after an upgrade.
    """

    support_js_module_import_aggregation = True
