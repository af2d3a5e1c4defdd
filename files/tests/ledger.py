"""What many clients sent to a server, and what it promised them.

Entry point: Ledger, shared by the threads that send. It judges each answer by what was
known before the request and what is known now, as others send and delete the same bytes.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from files.tests.running_server import Answer

LARGEST = 20_000_000
# Most are of what is there; the rest may have been lost, deleted, or be under way.
DUPLICATES_OF_STORED = 0.8
# Sent with a beginning of its own each time: the same bytes would be refused.
NOISE = random.Random(0).randbytes(LARGEST)


@dataclass(frozen=True)
class Sample:
    """The bytes of an upload, which can be made again."""

    beginning: bytes
    size: int

    @property
    def name(self) -> str:
        return f"{self.beginning.hex()}.bin"

    def data(self) -> bytes:
        return (self.beginning + NOISE)[: self.size]


@dataclass
class Ledger:
    """What was sent and promised, over all rounds; "hash" is that of the bytes."""

    sent: dict[str, Sample] = field(default_factory=dict)  # hash → what was begun to be sent
    times_sent: Counter[str] = field(default_factory=Counter)  # hash
    stored: dict[int, str] = field(default_factory=dict)  # id → hash, of what must be there
    leaving: dict[int, str] = field(default_factory=dict)  # deletes begun and not answered
    deleted: dict[int, str] = field(default_factory=dict)
    once_left: set[str] = field(default_factory=set)  # hashes whose delete was ever begun
    refused: int = 0  # duplicates
    surprises: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, sample: Sample, data: bytes) -> str:
        """Note that an upload begins, and return the hash."""
        hash = hashlib.sha256(data).hexdigest()
        with self.lock:
            self.sent[hash] = sample
            self.times_sent[hash] += 1
        return hash

    def duplicate(self, chance: random.Random) -> Sample | None:
        """Return what was sent before, and is stored in most cases."""
        with self.lock:
            from_stored = chance.random() < DUPLICATES_OF_STORED
            hashes = list(self.stored.values() if from_stored else self.sent)
            return self.sent[chance.choice(hashes)] if hashes else None

    def has_answered(self, hash: str, answer: Answer) -> None:
        """Judge what the server said to an upload."""
        with self.lock:
            if answer.status == 200:
                self._has_stored(hash, answer.json())
            elif answer.status == 409 and self.times_sent[hash] > 1:
                self.refused += 1
                # None: it was deleted between the refusal and the look at it.
                existing = answer.json().get("existing") or {"hash": hash}
                if existing["hash"] != hash:
                    self.surprises.append(f"not the same bytes: {hash}, {existing}")
            elif answer.status != 503 or hash not in self.once_left:
                self.surprises.append(f"upload: {answer.status} {answer.body[:200]!r}")

    def take_one(self, chance: random.Random) -> int | None:
        """Return the id of a stored file that the caller alone may now delete."""
        with self.lock:
            if not self.stored:
                return None
            file_id = chance.choice(list(self.stored))
            hash = self.leaving[file_id] = self.stored.pop(file_id)
            self.once_left.add(hash)
            return file_id

    def has_deleted(self, file_id: int, answer: Answer) -> None:
        """Judge what the server said to the delete of what `take_one` gave."""
        with self.lock:
            if answer.status != 204:
                self.surprises.append(f"delete {file_id}: {answer.status} {answer.body!r}")
                return
            self.deleted[file_id] = self.leaving.pop(file_id)

    def compare(self, listed: Mapping[int, dict[str, Any]]) -> list[str]:
        """Return what is wrong in the list, id → file, of a server that was killed.

        What was cut before its answer may be there or not, from now on for good.
        """
        problems = [f"lost: {one}" for one in self.stored if one not in listed]
        # What was sent again may have come back from the trash.
        problems += [
            f"back again: {one}"
            for one, hash in self.deleted.items()
            if one in listed and self.times_sent[hash] == 1
        ]
        self.deleted |= {one: hash for one, hash in self.leaving.items() if one not in listed}
        self.leaving.clear()
        for file_id, file in listed.items():
            hash = self.stored.setdefault(file_id, file["hash"])
            sample = self.sent.get(hash)
            if sample is None or (hash, sample.size) != (file["hash"], file["size"]):
                problems.append(f"not what was sent: {file}")
        return problems

    def bytes_stored(self) -> int:
        return sum(self.sent[hash].size for hash in self.stored.values())

    def _has_stored(self, hash: str, file: dict[str, Any]) -> None:
        if file["hash"] != hash:
            self.surprises.append(f"acknowledged with another hash: {file}, not {hash}")
        # A file leaves `stored` before its delete is sent.
        elif hash in self.stored.values():
            self.surprises.append(f"stored twice: {file}")
        self.stored[file["id"]] = hash
