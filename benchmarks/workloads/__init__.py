"""What is measured. A new workload is a module with a class of its own, and a line here."""

from benchmarks.workloads.cold_start import ColdStart
from benchmarks.workloads.large_files import LargeFiles
from benchmarks.workloads.lists import Lists
from benchmarks.workloads.many_uploads import ManyUploads
from benchmarks.workloads.ranges import Ranges
from benchmarks.workloads.small_uploads import SmallUploads
from benchmarks.workloads.workload import FULL, QUICK, Scale, Turn, Workload

COUNTS = (1_000, 10_000, 100_000, 1_000_000)
WORKLOADS: tuple[Workload, ...] = (
    SmallUploads(),
    LargeFiles(),
    ManyUploads(),
    Ranges(),
    *(Lists(count) for count in COUNTS),
    ColdStart(),
)

__all__ = ["FULL", "QUICK", "WORKLOADS", "Scale", "Turn", "Workload"]
