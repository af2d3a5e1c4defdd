"""Measures up to which size a file's bytes are better kept in its row.

    python benchmarks/inline_limit.py [--files 20000]

For each size, a library of that many files is made twice, with all bytes in the rows
and with all in chunks, and both are measured one after the other. Read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
SIZES = (1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10)


def timed(call: Callable[[], object], runs: int) -> float:
    """Return the median time of a call, in milliseconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


def measure(size: int, inline: bool, files: int) -> dict[str, float]:
    """Make a library in FILESERVER_DATA_DIR and return its figures; runs in its own process."""
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "fileserver.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection, transaction

    from files.actors import DEFAULT_SPACE_ID, SYSTEM
    from files.models import File
    from files.services import uploads
    from files.storage import read

    call_command("migrate", verbosity=0)
    vars(uploads)["INLINE_SIZE"] = size if inline else -1
    chance = random.Random(size)

    def upload(number: int) -> None:
        incoming = uploads.begin(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name=f"{number}.txt")
        uploads.append(incoming, chance.randbytes(size))
        uploads.commit(incoming)

    for start in range(0, files, 500):
        with transaction.atomic():
            for number in range(start, start + 500):
                upload(number)
    library = File.objects.visible_to(SYSTEM)
    numbers = iter(range(files, files + 10**6))
    figures = {
        "upload ms": timed(lambda: upload(next(numbers)), 300),
        "bytes a file": Path(settings.DATABASES["default"]["NAME"]).stat().st_size / files,
    }
    # A new connection, so that each starts with an empty page cache of its own.
    connection.close()
    figures["first page ms"] = timed(lambda: library.page("-upload_date", 50), 1)
    figures["page ms"] = timed(lambda: library.page("-upload_date", 50), 50)
    figures["all rows ms"] = timed(lambda: list(library.values_list("id", "mime_type")), 3)
    figures["scan ms"] = timed(lambda: library.filter(version=7).count(), 5)

    def download() -> None:
        file = File.objects.select_related("content").get(pk=chance.randint(1, files))
        for _ in read(file, 0, file.size):
            pass

    figures["download ms"] = timed(download, 500)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--one", nargs=2, metavar=("SIZE", "INLINE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(int(options.one[0]), options.one[1] == "1", options.files)))
        return
    for size in SIZES:
        found = []
        for inline in ("1", "0"):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, "--files", str(options.files)]
                output = subprocess.run(
                    [*command, "--one", str(size), inline],
                    env=os.environ
                    | {"FILESERVER_DATA_DIR": folder, "FILESERVER_DURABILITY": "normal"},
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
                found.append(json.loads(output.splitlines()[-1]))
        print(f"\n{size:,} bytes      in the row   in chunks   ratio")
        for name in found[0]:
            row, chunk = found[0][name], found[1][name]
            print(f"  {name:15} {row:10.2f} {chunk:11.2f} {row / chunk:7.2f}")


if __name__ == "__main__":
    main()
