"""Records what happened, in the transaction that makes it happen.

Entry point: record. The rows are the outbox of jobs and the source of the audit log.
"""

from __future__ import annotations

from django.db.models import Model

from files.actors import Actor
from files.models import Event, File, Upload, insert


def record(name: str, actor: Actor, object: Model, /, **details: object) -> Event:
    """Write that `actor` did `name` to `object`; call inside its transaction.

    `details` must be what JSON can hold; those of a file tell its name, size and hash, those
    of an upload its id, name, size and how much of it is here.
    """
    event = event_of(name, actor, object, **details)
    insert(event)
    return event


def event_of(name: str, actor: Actor, object: Model, /, **details: object) -> Event:
    """Return what `record` writes, not saved, for who writes many at once."""
    if isinstance(object, File):
        details = {"name": object.name, "size": object.size, "hash": object.hash} | details
    if isinstance(object, Upload):
        own = {"id": object.pk, "name": object.name, "size": object.size, "offset": object.offset}
        details = own | details
    return Event(
        name=name,
        actor=actor.name,
        user_id=actor.user_id,
        space_id=getattr(object, "space_id", None),
        object_type=object._meta.model_name or "",
        object_id=None if isinstance(object, Upload) else object.pk,
        details=details,
    )
