"""Changes spaces. Entry point: rename_space."""

from __future__ import annotations

from files.actors import Actor
from files.models import Space
from files.permissions import require_write
from files.services import events
from files.storage import in_transaction


@in_transaction
def rename_space(*, actor: Actor, space_id: int, name: str) -> None:
    """Give the space another name. Raises AccessDeniedError."""
    require_write(actor, space_id)
    space = Space.objects.select_for_update().get(pk=space_id)
    if name == space.name:
        return
    space.name = name
    space.save(update_fields=["name"])
    events.record("space.changed", actor, space, name=name)
