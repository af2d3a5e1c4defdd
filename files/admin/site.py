"""What the admin is called, and how it is laid out."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

admin.site.site_header = admin.site.site_title = _("File server")
admin.site.index_title = _("Dashboard")
# The list of files needs the room.
admin.site.enable_nav_sidebar = False
