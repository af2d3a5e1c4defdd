"""Who may do what: makes an Actor of a user, and refuses what he may not do."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from files.actors import DEFAULT_SPACE, Actor
from files.exceptions import (
    AccessDeniedError,
    AuthenticationRequiredError,
    FileNotFoundInSpaceError,
    gettext_noop,
)


def actor_for(user: AbstractBaseUser | AnonymousUser, access: str) -> Actor:
    """Return what `user` may do where FILESERVER_ACCESS is `access`.

    A signed-in user may do all; a stranger all in "open", look in "read", and
    nothing in "private".
    """
    if user.is_authenticated and user.is_active:
        return Actor(
            name=user.get_username(),
            spaces=DEFAULT_SPACE,
            writable=DEFAULT_SPACE,
            user_id=user.pk,
        )
    return Actor(
        name="anyone",
        spaces=frozenset() if access == "private" else DEFAULT_SPACE,
        writable=DEFAULT_SPACE if access == "open" else frozenset(),
    )


def require_read(actor: Actor) -> None:
    """Raise unless `actor` may look at something."""
    if not actor.can_read:
        raise AuthenticationRequiredError(gettext_noop("Sign in to see the files."))


def require_read_in(actor: Actor, space_id: int) -> None:
    """Raise unless `actor` may know of the space."""
    require_read(actor)
    if space_id not in actor.spaces:
        raise FileNotFoundInSpaceError(gettext_noop("There is nothing here."))


def require_write(actor: Actor, space_id: int) -> None:
    """Raise unless `actor` may add and delete files in the space."""
    require_read(actor)
    if space_id not in actor.writable:
        if actor.is_known:
            raise AccessDeniedError(gettext_noop("You may look at the files, and not change them."))
        raise AuthenticationRequiredError(gettext_noop("Sign in to add or delete files."))
