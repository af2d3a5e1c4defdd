"""The bar that tells how far a command is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import OutputWrapper
from tqdm import tqdm

from files.local_files import printable


def progress_bar(unit: str, *, total: Callable[[], int], verbosity: int) -> tqdm[Any]:
    """Return a bar on stderr, for a `with`; hidden where that is no terminal, and by `-v 0`.

    `total` is only asked for a bar that is shown. Bytes (unit "B") are told in kB, MB …
    """
    is_shown = verbosity > 0 and sys.stderr.isatty()
    tqdm.monitor_interval = 0  # No thread of its own.
    return tqdm(
        total=total() if is_shown else None,
        unit=unit,
        unit_scale=unit == "B",
        file=sys.stderr,
        disable=not is_shown,
    )


def tell(stream: OutputWrapper, text: str) -> None:
    """Write a line, above the bar where there is one; names in it do nothing to a terminal."""
    with tqdm.external_write_mode(file=sys.stderr):
        stream.write(printable(text))
