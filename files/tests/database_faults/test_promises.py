"""What was acknowledged stays, however often the database is killed under load."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter

from files.tests.consistency import age, database_problems, download_problems, ownership_problems
from files.tests.database_faults.clients import is_refused_for_now, seconds_until_ready
from files.tests.database_faults.conftest import READY_S
from files.tests.database_servers import DatabaseServer
from files.tests.ledger import Ledger, Sample
from files.tests.running_server import Answer, RunningServer, ask, upload

KILLS = 5
CLIENTS = 6
# From, to, and how often of 10: in the row, one chunk, many.
SIZES = ((8, 4096, 6), (4097, 1 << 20, 3), (2 << 20, 12 << 20, 1))
AGAIN = 0.2  # of the uploads: bytes that were sent before
DELETED = 0.3  # of the steps


class Load:
    """Clients that upload and delete all the time, and note what they were promised."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.ledger = Ledger()
        self.counts: Counter[str] = Counter()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(one,)) for one in range(CLIENTS)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _work(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._ended.is_set():
            try:
                with self.server.connect() as connection:
                    while not self._ended.is_set():
                        self._step(connection, chance)
            except (OSError, http.client.HTTPException):
                # A large body that is refused while it is sent; the answer is lost.
                self._count("cut")

    def _step(self, connection: http.client.HTTPConnection, chance: random.Random) -> None:
        if chance.random() < DELETED:
            file_id = self.ledger.take_one(chance)
            if file_id is not None:
                answer = ask(connection, "DELETE", f"/delete/{file_id}")
                if not self._is_refused(answer):
                    self.ledger.has_deleted(file_id, answer)
            return
        again = self.ledger.duplicate(chance) if chance.random() < AGAIN else None
        low, high, _ = chance.choices(SIZES, [weight for _low, _high, weight in SIZES])[0]
        sample = again or Sample(chance.randbytes(16), chance.randint(low, high))
        data = sample.data()
        hash = self.ledger.begin(sample, data)
        answer = upload(connection, sample.name, data, as_form=chance.random() < 0.5)
        if not self._is_refused(answer):
            self.ledger.has_answered(hash, answer)

    def _is_refused(self, answer: Answer) -> bool:
        """Tell whether it is a 503, which leaves open whether it was done."""
        self._count(str(answer.status))
        if not is_refused_for_now(answer):
            return False
        time.sleep(0.05)
        return True

    def _count(self, what: str) -> None:
        with self.ledger.lock:
            self.counts[what] += 1


def kill_and_start(server: RunningServer, database: DatabaseServer, chance: random.Random) -> float:
    """Return after how many seconds the server was itself again."""
    time.sleep(chance.uniform(0.5, 2))
    database.kill()
    time.sleep(chance.uniform(0, 1))
    database.start()
    return seconds_until_ready(server, READY_S)


def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(server, database):
    chance = random.Random(5)
    with Load(server) as load:
        waited = [kill_and_start(server, database, chance) for _number in range(KILLS)]
        time.sleep(1)
    assert max(waited) < READY_S
    listed = {file["id"]: file for file in server.files()}
    assert load.ledger.surprises == []
    assert load.ledger.compare(listed) == []
    assert ownership_problems(server) == []
    age(server)
    server.manage("sweep")
    assert download_problems(server, listed.values()) == []
    assert database_problems(server) == []
    # Else nothing was tested.
    assert load.counts["200"] > KILLS and load.counts["204"] > 0
    assert load.counts["503"] + load.counts["cut"] > KILLS
    assert load.counts.keys() <= {"200", "204", "409", "503", "cut"}, load.counts
