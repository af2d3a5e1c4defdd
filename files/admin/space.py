from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest

from files.admin.listing import OperatorAdmin
from files.admin.operators import operator_of
from files.http.requests import ActorRequest
from files.models import Space
from files.services.spaces import rename_space


@admin.register(Space)
class SpaceAdmin(OperatorAdmin):
    """The libraries: they can be renamed here, and neither made nor deleted."""

    list_display = ("name", "id", "created_at")
    fields = ("name", "created_at")
    readonly_fields = ("created_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Space | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Space, form: Any, change: bool) -> None:
        actor = operator_of(cast(ActorRequest, request))
        rename_space(actor=actor, space_id=obj.pk, name=obj.name)
