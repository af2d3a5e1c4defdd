"""How many transfers may wait for their clients at a time, in one process.

A transfer holds a thread for as long as its client takes, and nothing can interrupt
it. Some threads are kept for requests that are short: with all of them waiting, not even
/healthz would be answered until the slow ones are cut off.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack

from django.conf import settings

from files.exceptions import ServerBusyError, gettext_noop


class TransferSlots:
    """Counts the transfers under way; `threads` is how many the process has."""

    def __init__(self) -> None:
        self.threads: int | None = None  # as `serve` was told; else the setting
        self._taken = 0
        self._lock = threading.Lock()

    def take(self) -> ExitStack:
        """Count one more, until what is returned is closed (once or often) or its `with` ends.

        Raises ServerBusyError where there are too many.
        """
        threads = self.threads or settings.FILESERVER_THREADS
        with self._lock:
            if self._taken >= max(1, threads * 7 // 8):
                raise ServerBusyError(
                    gettext_noop("The server is busy with %(count)s transfers; please try again."),
                    count=self._taken,
                )
            self._taken += 1
        slot = ExitStack()
        slot.callback(self._give_back)
        return slot

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1


transfer_slots = TransferSlots()
