"""Rounds of kill -9 under load, and what must hold after each.

Entry point: CrashRounds. Eight uploaders keep a server busy until all its processes are
killed; it is started again on the same data, and everything it acknowledged is looked for.
Used by test_crash.py for a few rounds and by benchmarks/crash.py for many.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from files.tests.running_server import RunningServer, ask, upload

UPLOADERS = 8
LONGEST_S = 2.0  # from the first upload of a round to the kill
DELETED = 0.2  # of an uploader's steps
ONLY_MAIN = 0.2  # of the kills; the workers must then end by themselves
# Above this, files that were verified are deleted again: integrity_check reads them all.
KEPT_BYTES = 300 << 20
LONG_AGO = "2000-01-01 00:00:00"
MIB = 1 << 20
# Sizes in bytes, from and to, and how often of 20: in the row, one chunk, a batch, many.
SIZES = ((8, 4096, 9), (4097, MIB, 6), (MIB + 1, 8 * MIB, 4), (20_000_000, 20_000_000, 1))
# Sent with a beginning of its own each time: the same bytes would be refused.
NOISE = random.Random(0).randbytes(20_000_000)


@dataclass
class Ledger:
    """What was sent, and what the server promised; over all rounds."""

    sent: dict[str, int] = field(default_factory=dict)  # hash → bytes, of each upload begun
    stored: dict[int, str] = field(default_factory=dict)  # id → hash, of what must be there
    leaving: set[int] = field(default_factory=set)  # deletes begun and not answered
    deleted: set[int] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_one(self, chance: random.Random) -> int | None:
        """Return the id of a stored file that the caller alone may now delete."""
        with self.lock:
            if not self.stored:
                return None
            file_id = chance.choice(list(self.stored))
            del self.stored[file_id]
            self.leaving.add(file_id)
            return file_id

    def has_deleted(self, file_id: int) -> None:
        """Note that the server acknowledged a delete."""
        with self.lock:
            self.leaving.discard(file_id)
            self.deleted.add(file_id)


@dataclass
class Round:
    """What one round did and found; sizes in bytes, times in s."""

    number: int
    only_main: bool
    killed_after_s: float
    acknowledged: int = 0  # uploads
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
        self.verified: set[int] = set()
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
        begun = time.monotonic()
        self.server.start()
        self.found.restart_s = time.monotonic() - begun
        self._check_list()
        self._end_grace_times()
        swept = json.loads(self.server.manage("sweep", "--json"))
        self.found.swept_contents, self.found.swept_bytes = swept["contents"], swept["bytes"]
        self._check_database()
        self._delete_some()
        self.found.problems += self.ledger.surprises
        self.ledger.surprises.clear()
        return self.found

    def verify_all(self) -> list[str]:
        """Download every file once more and return what is wrong."""
        self.found = Round(self.number, only_main=False, killed_after_s=0)
        self.verified.clear()
        self._check_list()
        return self.found.problems

    # --- load

    def _load_and_kill(self) -> None:
        stored, deleted = len(self.ledger.stored), len(self.ledger.deleted)
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
        low, high, _ = chance.choices(SIZES, [weight for _low, _high, weight in SIZES])[0]
        unique = chance.randbytes(16)
        data = (unique + NOISE)[: chance.randint(low, high)]
        hash = hashlib.sha256(data).hexdigest()
        with self.ledger.lock:
            self.ledger.sent[hash] = len(data)
            self.found.cut += 1
        answer = upload(connection, f"{unique.hex()}.bin", data, as_form=chance.random() < 0.5)
        with self.ledger.lock:
            self.found.cut -= 1
            if answer.status != 200:
                self.ledger.surprises.append(f"upload: {answer.status} {answer.body[:200]!r}")
            elif answer.json()["hash"] != hash:
                self.ledger.surprises.append(f"acknowledged with another hash: {answer.body!r}")
            else:
                self.ledger.stored[answer.json()["id"]] = hash

    def _delete(self, connection: http.client.HTTPConnection, chance: random.Random) -> None:
        file_id = self.ledger.take_one(chance)
        if file_id is None:
            return
        answer = ask(connection, "DELETE", f"/delete/{file_id}")
        if answer.status == 204:
            self.ledger.has_deleted(file_id)
        else:
            self.ledger.surprises.append(f"delete {file_id}: {answer.status} {answer.body!r}")

    # --- what must hold afterwards

    def _check_list(self) -> None:
        """Compare the list with the ledger, and the bytes of new files with their hashes."""
        ledger, problems = self.ledger, self.found.problems
        listed = {file["id"]: file for file in self.server.files()}
        self.found.listed = len(listed)
        problems += [f"lost: {one}" for one in ledger.stored if one not in listed]
        problems += [f"back again: {one}" for one in ledger.deleted if one in listed]
        # Each was cut before its answer: it may be there or not, from now on for good.
        for file_id in ledger.leaving:
            if file_id in listed:
                ledger.stored[file_id] = listed[file_id]["hash"]
            else:
                ledger.deleted.add(file_id)
        ledger.leaving.clear()
        for file_id, file in listed.items():
            if file_id not in ledger.stored:
                self.found.unanswered += 1
                ledger.stored[file_id] = file["hash"]
        with self.server.connect() as connection:
            for file_id in sorted(listed.keys() - self.verified):
                self._check_file(connection, listed[file_id])
        self.verified |= listed.keys()

    def _check_file(self, connection: http.client.HTTPConnection, file: dict[str, Any]) -> None:
        answer = ask(connection, "GET", f"/download/{file['id']}")
        size = self.ledger.sent.get(file["hash"])
        if not (
            answer.status == 200
            and len(answer.body) == file["size"] == size
            and file["hash"] == self.ledger.stored[file["id"]]
            and hashlib.sha256(answer.body).hexdigest() == file["hash"]
        ):
            self.found.problems.append(
                f"not what was sent: {file}, sent {size} bytes; download {answer.status}"
                f" with {len(answer.body)} bytes"
            )
        self.found.verified_bytes += len(answer.body)

    def _end_grace_times(self) -> None:
        """Let `sweep` act as if hours had passed: nothing is being received or read now."""
        self.server.query("UPDATE content SET keep_until = ? WHERE state != 'stored'", LONG_AGO)

    def _check_database(self) -> None:
        """Look for orphans, wrong totals and damage, in the database itself."""
        query, problems = self.server.query, self.found.problems
        for table, orphans in {
            "content": "id NOT IN (SELECT content_id FROM file WHERE content_id IS NOT NULL)",
            "chunk": "content_id NOT IN (SELECT id FROM content)",
            "file": "content_id IS NOT NULL AND size != (SELECT SUM(chunk.size) FROM chunk"
            " WHERE chunk.content_id = file.content_id)",
        }.items():
            # From constants above.
            count = query(f"SELECT COUNT(*) FROM {table} WHERE {orphans}")[0][0]  # noqa: S608
            if count:
                problems.append(f"{count} rows of {table} are orphans or incomplete")
        kept = query("SELECT suffix, SUM(count), SUM(bytes) FROM suffix_total GROUP BY suffix")
        counted = query("SELECT suffix, COUNT(*), SUM(size) FROM file GROUP BY suffix")
        if {row for row in kept if row[1] or row[2]} != set(counted):
            problems.append(f"totals say {kept}, the files are {counted}")
        if (damage := query("PRAGMA integrity_check")) != [("ok",)]:
            problems.append(f"integrity_check: {damage[:3]}")
        if strays := query("PRAGMA foreign_key_check"):
            problems.append(f"foreign_key_check: {strays[:3]}")

    def _delete_some(self) -> None:
        """Keep the database small."""
        sizes = {one: self.ledger.sent[hash] for one, hash in self.ledger.stored.items()}
        total = sum(sizes.values())
        with self.server.connect() as connection:
            while total > KEPT_BYTES and sizes:
                file_id = self.chance.choice(list(sizes))
                total -= sizes.pop(file_id)
                del self.ledger.stored[file_id]
                if ask(connection, "DELETE", f"/delete/{file_id}").status == 204:
                    self.ledger.has_deleted(file_id)
                else:
                    self.found.problems.append(f"could not delete {file_id}")
        self._end_grace_times()


def summary(rounds: list[Round]) -> dict[str, Any]:
    """Return the sums over all rounds, and how many problems were found."""
    sums: dict[str, Any] = defaultdict(int, rounds=len(rounds))
    for one in rounds:
        for name in ("acknowledged", "deleted", "cut", "unanswered", "verified_bytes"):
            sums[name] += getattr(one, name)
        sums["swept_contents"] += one.swept_contents
        sums["swept_bytes"] += one.swept_bytes
        sums["problems"] += len(one.problems)
    sums["longest_restart_s"] = max((one.restart_s for one in rounds), default=0)
    return dict(sums)
