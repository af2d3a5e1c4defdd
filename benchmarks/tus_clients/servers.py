"""Kills the servers that the clients talk to, and how much is to be killed in all.

Entry point: ServerKiller.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

from files.tests.fleet import Fleet
from files.tests.running_server import RunningServer

ALL_SERVERS = 0.2  # of the kills
PAUSE_S = (0.2, 2.0)
DOWN_S = 1.0  # at most, before it is started again


@dataclass
class Wanted:
    """How much is to be done; `take` counts kills of clients down."""

    uploads: int
    client_kills: int
    server_kills: int
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> bool:
        """Return whether one more upload is wanted."""
        with self.lock:
            self.uploads -= 1
            return self.uploads >= 0 or self.client_kills > 0 or self.server_kills > 0

    def take(self) -> bool:
        with self.lock:
            self.client_kills -= 1
            return self.client_kills >= 0

    def give_back(self) -> None:
        with self.lock:
            self.client_kills += 1


def ports_of(fleet: Fleet) -> list[int]:
    """Return the ports of the servers that are up, or starting."""
    up = [one for one in fleet.members if one.process and one.process.poll() is None]
    return [one.port for one in up]


class ServerKiller(threading.Thread):
    """Kills one server or all, starts them again, and so on, until it has done so often enough."""

    def __init__(self, fleet: Fleet, wanted: Wanted, chance: random.Random) -> None:
        super().__init__()
        self.killed = 0
        self.problems: list[str] = []
        self._fleet, self._wanted, self._chance = fleet, wanted, chance
        self._ended = threading.Event()

    def run(self) -> None:
        while self._wanted.server_kills > 0 and not self._ended.wait(
            self._chance.uniform(*PAUSE_S)
        ):
            is_all = self._chance.random() < ALL_SERVERS
            members = self._fleet.members
            struck = members if is_all else [self._chance.choice(members)]
            for one in struck:
                RunningServer.kill(one)
            self.killed += 1
            time.sleep(self._chance.uniform(0, DOWN_S))
            try:
                for one in struck:
                    RunningServer.start(one)
            except (RuntimeError, TimeoutError) as error:
                self.problems.append(f"a killed server did not start again: {error}")
            with self._wanted.lock:
                self._wanted.server_kills -= 1

    def end(self) -> None:
        """Wait until all servers are up again."""
        self._ended.set()
        self.join()
