"""Runs what changes several rows in one transaction, again where the database gave it up.

Entry point: in_transaction. Of two transactions that wait for each other a server rolls one
back ("deadlock"), which may then simply be tried again; SQLite's writers never do.
"""

from __future__ import annotations

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

from files.exceptions import StorageBusyError
from files.storage.faults import is_transient, told_in_words

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

# Seconds before each further try, at most.
PAUSES_S = (0.05, 0.2, 0.8)
# Who has waited for so long is told instead. Longer than one try, which waits 3 s for a lock.
LONGEST_S = 8.0


def in_transaction(work: Callable[P, R]) -> Callable[P, R]:
    """Return `work` made to run in a transaction of its own, or within the caller's.

    It may run several times, so it must not change what its arguments hold before it is
    done. Raises StorageBusyError or StorageFullError where the database refuses.
    """

    @functools.wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> R:
        last_try = time.monotonic() + LONGEST_S
        with told_in_words():
            # Within a transaction that is given up, there is nothing to try again.
            for pause_s in () if connection.in_atomic_block else PAUSES_S:
                try:
                    with transaction.atomic():
                        return work(*args, **kwargs)
                except (OperationalError, StorageBusyError) as error:
                    # The latter is what a transaction within this one made of it.
                    if not is_transient(error) or time.monotonic() > last_try:
                        raise
                    logger.info("A transaction is tried again: %s", error.__cause__ or error)
                time.sleep(random.uniform(0, pause_s))  # noqa: S311  # no secret
            with transaction.atomic():
                return work(*args, **kwargs)

    return done
