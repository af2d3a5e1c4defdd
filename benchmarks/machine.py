"""What the measurements ran on, in words."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from pathlib import Path


def describe(folder: Path) -> dict[str, str]:
    """Return what matters of this machine; `folder` is where the data are."""
    return {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "memory": f"{memory_gib():.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": file_system(folder),
        "Python": sys.version.split()[0],
        "SQLite": sqlite3.sqlite_version,
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_gib() -> float:
    """Return the machine's memory in GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def file_system(folder: Path) -> str:
    """Return the type and the device of what holds the folder."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    folder = folder.resolve()
    found = ("", "unknown", "")
    for line in lines:
        device, point, kind = line.split()[:3]
        if folder.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, kind, device)
    return f"{found[1]} on {found[2]}"
