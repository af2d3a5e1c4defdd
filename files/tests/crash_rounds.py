"""Rounds of kill -9 under load, and what must hold after each.

Entry point: CrashRounds. Eight uploaders keep a server busy until all its processes are
killed; it is started again on the same data, and everything it acknowledged is looked for.
Used by test_crash.py for a few rounds and by benchmarks/crash.py for many.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from files.tests.consistency import age, database_problems, download_problems, ownership_problems
from files.tests.ledger import LARGEST, Ledger, Sample
from files.tests.running_server import RunningServer, ask, upload

UPLOADERS = 8
LONGEST_S = 2.0  # from the first upload of a round to the kill
DELETED = 0.2  # of an uploader's steps
DUPLICATES = 0.3  # of the uploads
ONLY_MAIN = 0.2  # of the kills; the workers must then end by themselves
# Above this, files are deleted again: each round reads them all.
KEPT_BYTES = 300 << 20
MIB = 1 << 20
# Sizes in bytes, from and to, and how often of 20: in the row, one chunk, a batch, many.
SIZES = ((8, 4096, 9), (4097, MIB, 6), (MIB + 1, 8 * MIB, 4), (LARGEST, LARGEST, 1))


@dataclass
class Round:
    """What one round did and found; sizes in bytes, times in s."""

    number: int
    only_main: bool
    killed_after_s: float
    acknowledged: int = 0  # uploads
    refused: int = 0  # duplicates
    deleted: int = 0
    cut: int = 0  # uploads under way at the kill
    unanswered: int = 0  # of those, how many were stored all the same
    restart_s: float = 0
    listed: int = 0
    verified_bytes: int = 0
    swept_contents: int = 0
    swept_bytes: int = 0
    problems: list[str] = field(default_factory=list)


class CrashRounds:
    """A server that is killed again and again, and the ledger of what it promised."""

    def __init__(self, server: RunningServer, seed: int) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.ledger = Ledger()
        self.number = 0

    def run(self) -> Round:
        """Do one round with a running server, which is running again afterwards."""
        self.number += 1
        self.found = Round(
            number=self.number,
            only_main=self.chance.random() < ONLY_MAIN,
            killed_after_s=self.chance.uniform(0.1, LONGEST_S),
        )
        self._load_and_kill()
        # With a trash, and without one, where sweeping empties it.
        self.server.environment["FILESERVER_TRASH_DAYS"] = "0" if self.number % 2 else "30"
        begun = time.monotonic()
        self.server.start()
        self.found.restart_s = time.monotonic() - begun
        listed = self._check_list()
        self.found.problems += ownership_problems(self.server)
        self._sweep()  # What it takes from the trash is released by it.
        age(self.server)
        self._sweep()
        self._check_downloads(listed)
        self.found.problems += database_problems(self.server)
        self._delete_some()
        self.found.problems += self.ledger.surprises
        self.ledger.surprises.clear()
        return self.found

    def verify_all(self) -> list[str]:
        """Download every file once more and return what is wrong."""
        self.found = Round(self.number, only_main=False, killed_after_s=0)
        self._check_downloads(self._check_list())
        return self.found.problems

    # --- load

    def _load_and_kill(self) -> None:
        stored, deleted = len(self.ledger.stored), len(self.ledger.deleted)
        refused = self.ledger.refused
        killed = threading.Event()
        threads = [
            threading.Thread(target=self._work, args=(self.chance.getrandbits(64), killed))
            for _number in range(UPLOADERS)
        ]
        for thread in threads:
            thread.start()
        # What `_delete_some` deleted is being removed at the same time.
        with self.server.begin("sweep") as sweep:
            time.sleep(self.found.killed_after_s)
            killed.set()
            self.server.kill(only_main=self.found.only_main)
            sweep.kill()
        for thread in threads:
            thread.join()
        self.found.deleted = len(self.ledger.deleted) - deleted
        self.found.refused = self.ledger.refused - refused
        gone = self.found.deleted + len(self.ledger.leaving)
        self.found.acknowledged = len(self.ledger.stored) - stored + gone

    def _work(self, seed: int, killed: threading.Event) -> None:
        """Upload, and sometimes delete, until the connection breaks."""
        chance = random.Random(seed)
        try:
            with self.server.connect() as connection:
                while True:
                    if chance.random() < DELETED:
                        self._delete(connection, chance)
                    else:
                        self._upload(connection, chance)
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            if not killed.is_set():
                self.ledger.surprises.append(f"cut before the kill: {error!r}")

    def _upload(self, connection: http.client.HTTPConnection, chance: random.Random) -> None:
        again = self.ledger.duplicate(chance) if chance.random() < DUPLICATES else None
        sample = again or self._new_sample(chance)
        data = sample.data()
        hash = self.ledger.begin(sample, data)
        self._count_cut(1)
        answer = upload(connection, sample.name, data, as_form=chance.random() < 0.5)
        self._count_cut(-1)
        self.ledger.has_answered(hash, answer)

    def _new_sample(self, chance: random.Random) -> Sample:
        low, high, _ = chance.choices(SIZES, [weight for _low, _high, weight in SIZES])[0]
        return Sample(chance.randbytes(16), chance.randint(low, high))

    def _count_cut(self, change: int) -> None:
        with self.ledger.lock:
            self.found.cut += change

    def _delete(self, connection: http.client.HTTPConnection, chance: random.Random) -> None:
        file_id = self.ledger.take_one(chance)
        if file_id is not None:
            self.ledger.has_deleted(file_id, ask(connection, "DELETE", f"/delete/{file_id}"))

    # --- what must hold afterwards

    def _check_list(self) -> list[dict[str, Any]]:
        """Compare the list with the ledger, and return it."""
        listed = {file["id"]: file for file in self.server.files()}
        self.found.listed = len(listed)
        known = self.ledger.stored.keys() | self.ledger.leaving.keys()
        self.found.unanswered = len(listed.keys() - known)
        self.found.problems += self.ledger.compare(listed)
        return list(listed.values())

    def _sweep(self) -> None:
        try:
            swept = json.loads(self.server.manage("sweep", "--json"))
        except RuntimeError as error:
            self.found.problems.append(str(error))
        else:
            self.found.swept_contents += swept["contents"]
            self.found.swept_bytes += swept["bytes"]

    def _check_downloads(self, listed: list[dict[str, Any]]) -> None:
        """Read all that is listed, old and new: a sweep may have taken from any."""
        self.found.problems += download_problems(self.server, listed)
        self.found.verified_bytes += sum(file["size"] for file in listed)

    def _delete_some(self) -> None:
        """Keep the database small."""
        with self.server.connect() as connection:
            while self.ledger.bytes_stored() > KEPT_BYTES:
                self._delete(connection, self.chance)
        age(self.server)


def summary(rounds: list[Round]) -> dict[str, Any]:
    """Return the sums over all rounds, and how many problems were found."""
    sums: dict[str, Any] = defaultdict(int, rounds=len(rounds))
    for one in rounds:
        for name in ("acknowledged", "refused", "deleted", "cut", "unanswered", "verified_bytes"):
            sums[name] += getattr(one, name)
        sums["swept_contents"] += one.swept_contents
        sums["swept_bytes"] += one.swept_bytes
        sums["problems"] += len(one.problems)
    sums["longest_restart_s"] = max((one.restart_s for one in rounds), default=0)
    return dict(sums)
