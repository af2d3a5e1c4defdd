"""Makes the C library's allocator fit a process that moves blocks of up to 1 MiB all day.

Entry point: tune. By default glibc gives each such block back to the kernel and takes it anew,
which has to clear every page of it: a fifth of an upload's processor time was that.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

# Longer blocks are the kernel's as before.
LONGEST_KEPT = 4 << 20  # bytes
# Free memory above this goes back.
MOST_KEPT = 32 << 20  # bytes
# Each has free memory of its own; Python's own lock keeps threads out of each other's way.
ARENAS = 1


def tune() -> None:
    """Keep freed blocks for the next ones; does nothing where the C library is another one."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, LONGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, MOST_KEPT)
        mallopt(_M_ARENA_MAX, ARENAS)
