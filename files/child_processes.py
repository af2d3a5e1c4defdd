"""Processes that end with the one that started them, and one that is kept running."""

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

logger = logging.getLogger(__name__)

# Set for a process that is to end when the process of this id, its parent, ends.
PARENT_VARIABLE = "FILESERVER_PARENT_PID"
PARENT_POLL_S = 0.5


def exit_at_once() -> None:
    """End this process without a word; what it had begun is rolled back."""
    os._exit(1)


def die_with_parent(parent: int | None = None, *, then: Callable[[], Any] = exit_at_once) -> None:
    """Call `then` within a second of the parent's end, even by kill -9; by default, exit.

    `parent` is its process id; without it the environment tells, and where that says nothing
    (a command that somebody started by hand) nothing is done.
    """
    expected = parent or int(os.environ.get(PARENT_VARIABLE) or 0)
    if not expected:
        return

    def watch() -> None:
        while os.getppid() == expected:
            time.sleep(PARENT_POLL_S)
        then()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class KeptProcess:
    """A child process that is started again whenever it ends, until it is stopped."""

    FIRST_DELAY_S = 1.0
    LONGEST_DELAY_S = 300.0
    STOP_S = 3.0  # from SIGTERM to SIGKILL

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._keep, name="kept-process", daemon=True)

    def start(self) -> None:
        """Start the process; what goes wrong with it is logged, never raised."""
        self.thread.start()

    def stop(self) -> None:
        """End the process and don't start it again; takes seconds at most."""
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join()

    def _keep(self) -> None:
        delay_s = self.FIRST_DELAY_S
        while not self.stopping.is_set():
            started = time.monotonic()
            try:
                status = self._run_once()
            except OSError as error:  # No memory or process left, say.
                status = str(error)
            if self.stopping.is_set():
                return
            if time.monotonic() - started > self.LONGEST_DELAY_S:
                delay_s = self.FIRST_DELAY_S
            logger.warning(
                "%s ended (%s) and is started again in %.0f s",
                " ".join(self.command[1:]),
                status,
                delay_s,
            )
            self.stopping.wait(delay_s)
            delay_s = min(delay_s * 2, self.LONGEST_DELAY_S)

    def _run_once(self) -> int | str:
        """Run the process to its end, or to ours, and return its exit status."""
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            self.command,
            stdin=subprocess.DEVNULL,
            env=os.environ | {PARENT_VARIABLE: str(os.getpid())},
            start_new_session=True,  # Else Ctrl-C would reach it before the workers are done.
        )
        while process.poll() is None:
            if self.stopping.wait(0.2):
                process.terminate()
                try:
                    process.wait(self.STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
        return process.wait()
