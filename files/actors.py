"""Who asks: the one value that services and querysets decide by."""

from __future__ import annotations

from dataclasses import dataclass

# Made by the first migration; the library of the plain routes.
DEFAULT_SPACE_ID = 1


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something, and what he may do.

    `spaces` are the ids of the spaces that he may see, `writable` of those where he may
    add, change and delete; `name` is what the event
    log shows of him; `user_id` is None for strangers and for the system itself.
    """

    name: str
    spaces: frozenset[int] = frozenset()
    writable: frozenset[int] = frozenset()
    user_id: int | None = None

    @property
    def can_read(self) -> bool:
        """Tell whether there is any space that he may see."""
        return bool(self.spaces)

    @property
    def can_write(self) -> bool:
        """Tell whether there is any space where he may add files."""
        return bool(self.writable)

    @property
    def is_known(self) -> bool:
        """Tell whether he is signed in, so that a refusal is 403 and not 401."""
        return self.user_id is not None


DEFAULT_SPACE = frozenset({DEFAULT_SPACE_ID})
SYSTEM = Actor(name="system", spaces=DEFAULT_SPACE, writable=DEFAULT_SPACE)
