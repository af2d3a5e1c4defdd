from __future__ import annotations

from django import template
from django.template.context import Context

from files.admin.dashboard import Dashboard, dashboard_of, latest_events

register = template.Library()
register.simple_tag(latest_events)


@register.simple_tag(takes_context=True)
def dashboard(context: Context) -> Dashboard | None:
    """Return the figures of the space `?space=`."""
    return dashboard_of(context["request"].GET.get("space"))
