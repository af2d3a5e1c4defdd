"""Who an operator is to the services."""

from __future__ import annotations

from dataclasses import replace

from files.actors import Actor
from files.http.requests import ActorRequest
from files.models import Space


def operator_of(request: ActorRequest) -> Actor:
    """Return the actor of a signed-in operator, who works in all spaces; one query.

    What he may do there is decided by Django's permissions, before any service is called.
    """
    spaces = frozenset(Space.objects.values_list("pk", flat=True))
    return replace(request.actor, spaces=spaces, writable=spaces)
