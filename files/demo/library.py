"""A demonstration library: file number so-and-so of a seed, always the same.

Entry points: demo_file and upload_dates. Pure: nothing is stored here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

from files.demo.documents import archive, docx, pdf, xlsx
from files.demo.names import file_name, folder, language_of
from files.demo.pictures import gif, jpeg, png, wav
from files.demo.texts import text

Maker = Callable[[Random, int, str], bytes]
_DOCUMENT, _PICTURE, _DATA = "document", "picture", "data"

# From common to rare, as on an office's share: suffix, family, maker.
KINDS: tuple[tuple[str, str, Maker], ...] = (
    ("pdf", _DOCUMENT, pdf),
    ("docx", _DOCUMENT, docx),
    ("jpg", _PICTURE, jpeg),
    ("xlsx", _DOCUMENT, xlsx),
    ("txt", _DOCUMENT, text("txt")),
    ("png", _PICTURE, png),
    ("csv", _DATA, text("csv")),
    ("html", _DOCUMENT, text("html")),
    ("md", _DOCUMENT, text("md")),
    ("json", _DATA, text("json")),
    ("xml", _DATA, text("xml")),
    ("zip", _DATA, archive),
    ("log", _DATA, text("log")),
    ("svg", _PICTURE, text("svg")),
    ("gif", _PICTURE, gif),
    ("wav", _DATA, wav),
    ("", _DOCUMENT, text("txt")),
    ("ics", _DOCUMENT, text("ics")),
    ("ini", _DATA, text("ini")),
    ("yaml", _DATA, text("yaml")),
    ("py", _DATA, text("py")),
    ("tsv", _DATA, text("tsv")),
    ("jpeg", _PICTURE, jpeg),
    ("htm", _DOCUMENT, text("html")),
    ("css", _DATA, text("css")),
    ("js", _DATA, text("js")),
    ("sql", _DATA, text("sql")),
    ("tex", _DOCUMENT, text("tex")),
    ("yml", _DATA, text("yaml")),
    ("text", _DOCUMENT, text("txt")),
)
# Twice as long as others, else all small ones were as long as an empty one.
_LONGER = frozenset({pdf, docx, xlsx})
_KIND_WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(KINDS) + 1)))

LABELS = {
    "to check": "#dc3545",
    "important": "#fd7e14",
    "approved": "#198754",
    "draft": "#6c757d",
    "contract": "#0d6efd",
    "tax": "#6f42c1",
    "Ablage": "#795548",
    "à signer": "#d63384",
    "вважливо": "#20c997",
    "重要": "#ffc107",
}
# Of a hundred files, so many have labels, most of them one.
LABELLED = 12


@dataclass(frozen=True, slots=True)
class Sizes:
    """A log-normal distribution of sizes in bytes, cut off above `most`."""

    median: int
    sigma: float
    most: int


SIZES = {
    # Nearly all of them fit the file's row.
    "small": Sizes(450, 0.75, 256 << 10),
    "mixed": Sizes(24 << 10, 1.7, 4 << 20),
}
# Uploads of Monday to Sunday, and the hours (UTC) in which they come.
_WEEKDAYS = (1.0, 1.1, 1.05, 1.0, 0.8, 0.12, 0.08)
_HOURS = (6, 18)


@dataclass(frozen=True, slots=True)
class DemoFile:
    """What an upload would bring, and the labels that it is given."""

    name: str
    suffix: str
    folder: str
    data: bytes
    labels: tuple[str, ...]


def demo_file(seed: int, number: int, size: str) -> DemoFile:
    """Return file `number` (from 0) of the library `seed` with sizes of SIZES[`size`].

    Its bytes are unlike those of any other number, seed or size; 20 to 60 µs for a small one.
    """
    rng = Random(f"{seed} {number} {size}")  # noqa: S311  # not for secrets
    suffix, family, make = rng.choices(KINDS, cum_weights=_KIND_WEIGHTS)[0]
    sizes = SIZES[size]
    median = sizes.median * 2 if make in _LONGER else sizes.median
    length = min(int(median * math.exp(rng.gauss(0.0, sizes.sigma))), sizes.most)
    language = language_of(rng)
    name = file_name(rng, language, family, suffix)
    place = folder(rng, language)
    # Told in each file, so that no two are the same.
    title = f"Demonstration {seed}-{number}-{size[0]}"
    return DemoFile(name, suffix, place, make(rng, length, title), _labels(rng))


def _labels(rng: Random) -> tuple[str, ...]:
    if rng.random() * 100 >= LABELLED:
        return ()
    names = list(LABELS)
    chosen = {names[int(rng.random() ** 2 * len(names))]}
    if rng.random() < 0.25:
        chosen.add(names[int(rng.random() * len(names))])
    return tuple(sorted(chosen))


def upload_dates(count: int, days: int, until: datetime) -> Iterator[datetime]:
    """Yield `count` moments, earliest first, on `days` days of which `until` is the last.

    More of them late than early, on weekdays and in the daytime: an upload's date is
    then about in the order of its id, as in a library that grew.
    """
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    dates = [midnight - timedelta(days=days - 1 - number) for number in range(days)]
    weights = [
        _WEEKDAYS[date.weekday()] * (0.6 + 0.8 * number / days) for number, date in enumerate(dates)
    ]
    total = sum(weights)
    done, passed = 0, 0.0
    for date, weight in zip(dates, weights, strict=True):
        passed += weight
        end = count if date is dates[-1] else round(count * passed / total)
        first, last = (date + timedelta(hours=hour) for hour in _HOURS)
        # Of today's hours only those that are over.
        first, last = min(first, until), min(last, until)
        for number in range(end - done):
            yield first + (last - first) * ((number + 0.5) / (end - done))
        done = end
