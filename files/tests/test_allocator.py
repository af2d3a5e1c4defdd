"""Memory that was freed is used again instead of being given back and taken anew."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

# Prints how many pages the kernel had to hand out for blocks that come and go.
PROGRAM = """
import resource, sys
from files import allocator
if sys.argv[1] == "tuned":
    allocator.tune()
def come_and_go():
    blocks = [bytearray(1 << 20) for _ in range(8)]
come_and_go()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    come_and_go()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages_taken(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_blocks_that_come_and_go_cost_the_kernel_nothing():
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("this C library has no mallopt")
    assert pages_taken("tuned") < pages_taken("as it is") / 10
