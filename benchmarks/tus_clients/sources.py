"""Files to be uploaded, of sizes at which something changes, and of many others."""

from __future__ import annotations

import hashlib
import random
import threading
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
NOISE = random.Random(0).randbytes(8 * MIB)
# In the row, a chunk, a client's usual chunk, a batch, and several of these.
EDGES = (2048, 65_536, MIB, 5 * MIB, 8 * MIB, 16 * MIB, 3 * 5 * MIB)
# Sizes in bytes, from and to, and how often of 20; None: one of EDGES, or a byte beside it.
SIZES = ((1, 65_536, 4), (65_537, 4 * MIB, 4), (4 * MIB, 32 * MIB, 4))
AT_EDGES, LARGE = 6, 2


@dataclass(frozen=True)
class Source:
    """A file with bytes that no other has."""

    path: Path
    size: int
    hash: str


class Sources:
    """Makes files, and knows the hashes of all that it made."""

    def __init__(self, folder: Path, chance: random.Random, largest: int) -> None:
        self.by_hash: dict[str, Source] = {}
        self._folder = folder
        self._chance = chance
        self._largest = largest
        # One that is sure to be had of each kind; then by chance.
        self._first = [1, 0, largest, *(edge + 1 for edge in EDGES)]
        self._lock = threading.Lock()

    def make(self) -> Source:
        """Write one more file."""
        with self._lock:
            size = self._first.pop(0) if self._first else self._size()
            while True:
                source = self._write(size)
                if source.hash not in self.by_hash:
                    break
                size += 1  # There are few files of a byte.
            self.by_hash[source.hash] = source
            return source

    def again(self) -> Source:
        """Return a file that was made before."""
        with self._lock:
            return self._chance.choice(list(self.by_hash.values()))

    def _size(self) -> int:
        weights = [weight for _low, _high, weight in SIZES]
        kind = self._chance.choices([*SIZES, None, LARGE], [*weights, AT_EDGES, LARGE])[0]
        if kind is None:
            return self._chance.choice(EDGES) + self._chance.choice((-1, 0, 1))
        if isinstance(kind, int):
            return self._chance.randint(min(32 * MIB, self._largest), self._largest)
        return self._chance.randint(kind[0], min(kind[1], self._largest))

    def _write(self, size: int) -> Source:
        path = self._folder / f"{len(self.by_hash):04}-{size}.bin"
        hasher = hashlib.sha256()
        beginning = self._chance.randbytes(16)
        with path.open("wb") as file:
            for start in range(0, max(size, 1), len(NOISE)):
                # No block is another's, in whatever order they come.
                block = (beginning + start.to_bytes(8, "big") + NOISE)[: len(NOISE)][: size - start]
                hasher.update(block)
                file.write(block)
        return Source(path, size, hasher.hexdigest())
