"""How much memory of this process something needs, that of database clients' C code included."""

from __future__ import annotations

import contextlib
import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_STATUS = Path("/proc/self/status")


@dataclass
class Growth:
    """What the process grew by at most, in bytes; known at the end of the block."""

    peak: int = 0


@contextlib.contextmanager
def memory_growth() -> Iterator[Growth]:
    """Measure the highest resident memory of a block above that at its start."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Forget the old peak.
    except OSError:
        pytest.skip("only Linux tells a process's peak anew")
    gc.collect()
    growth, before = Growth(), _kilobytes("VmRSS")
    yield growth
    growth.peak = (_kilobytes("VmHWM") - before) * 1024


def _kilobytes(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{_STATUS} tells no {name}")
    return int(found[1])
