"""Records what happened, in the transaction that makes it happen.

Entry point: record. The rows are the outbox of jobs and the source of the audit log.
"""

from __future__ import annotations

from files.actors import Actor
from files.models import Event, File


def record(name: str, actor: Actor, file: File) -> Event:
    """Write that `actor` did `name` to `file`; call inside its transaction."""
    return Event.objects.create(
        name=name,
        actor=actor.name,
        user_id=actor.user_id,
        space_id=file.space_id,
        object_type="file",
        object_id=file.pk,
        details={"name": file.name, "size": file.size, "hash": file.hash},
    )
