"""Which methods a page knows. Django's own decorators answer 405 without a word."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http.response import HttpResponseBase

from files.http.requests import ActorRequest
from files.views.errors import method_not_allowed

P = ParamSpec("P")
View = Callable[Concatenate[ActorRequest, P], HttpResponseBase]
SAFE = ("GET", "HEAD")


def require_methods(*methods: str) -> Callable[[View[P]], View[P]]:
    """Return a decorator that answers 405 to all but `methods`."""

    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def checked(
            request: ActorRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            if request.method not in methods:
                return method_not_allowed(request, methods)
            return view(request, *args, **kwargs)

        return checked

    return decorate


require_safe = require_methods(*SAFE)
