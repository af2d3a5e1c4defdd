"""What our middleware adds to a request, for the type checker."""

from __future__ import annotations

from django.http import HttpRequest

from files.actors import Actor


class ActorRequest(HttpRequest):
    """A request as every view gets it; never made, only annotated with."""

    actor: Actor
    request_id: str  # 32 hexadecimal digits, also in the answer's X-Request-ID
