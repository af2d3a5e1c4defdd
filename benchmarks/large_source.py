"""Large files whose bytes don't repeat, neither within one nor between their parts."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

BLOCK = 1 << 20
NOISE = random.Random(0).randbytes(16 * BLOCK)


def make_source(path: Path, size: int) -> str:
    """Write `size` bytes that don't repeat and return their SHA-256."""
    hasher = hashlib.sha256()
    with path.open("wb") as file:
        for number, start in enumerate(range(0, size, BLOCK)):
            offset = number * 4099 % (len(NOISE) - BLOCK)
            block = (number.to_bytes(8, "big") + NOISE[offset : offset + BLOCK - 8])[: size - start]
            hasher.update(block)
            file.write(block)
    return hasher.hexdigest()
