"""Names and folders of a demonstration library, as people in an office give them."""

from __future__ import annotations

from itertools import accumulate
from random import Random

from files.demo.words import LANGUAGES, Language, invented

_LANGUAGE_WEIGHTS = list(accumulate(language.weight for language in LANGUAGES))
PROJECTS_PER_LANGUAGE = 40
# Of a hundred files, so many lie in no folder.
AT_THE_TOP = 12
# Names that programs give.
_CAMERA = ("IMG_{day}_{time}", "DSC{number:05}", "PXL_{day}_{time}", "Screenshot {dashed} {time}")
_SCANNER = ("Scan{number:04}", "scan_{day}_{time}", "DOC{number:06}")
_SOFTWARE = ("export_{day}", "data-{number}", "backup-{dashed}", "index", "config", "run_{number}")
_PATTERNS = (
    "{document} {project}",
    "{document} {project}",
    "{document} {dashed}",
    "{dashed} {document} {project}",
    "{document} {project} v{version}",
    "{document} {project} ({version})",
    "{document}_{number}",
    "{document} {year}-{number:04}",
    "{project} - {document} - {year}",
    "{project}_{document}_final",
)


def language_of(rng: Random) -> Language:
    """Return one of the languages, the common ones more often."""
    return rng.choices(LANGUAGES, cum_weights=_LANGUAGE_WEIGHTS)[0]


def file_name(rng: Random, language: Language, family: str, suffix: str) -> str:
    """Return a name for a file of a family ("picture", "data", "document") and suffix."""
    chance = rng.random()
    if family == "picture" and chance < 0.7:
        patterns: tuple[str, ...] = _CAMERA
    elif family == "data" and chance < 0.5:
        patterns = _SOFTWARE
    elif suffix == "pdf" and chance < 0.2:
        patterns = _SCANNER
    else:
        patterns = _PATTERNS
    number = int(rng.random() * 10_000)
    year, month, day = 2019 + int(rng.random() * 8), 1 + int(rng.random() * 12), _day(rng)
    stem = patterns[int(rng.random() * len(patterns))].format(
        document=language.documents[int(rng.random() * len(language.documents))],
        project=project(rng, language),
        year=year,
        day=f"{year}{month:02}{day:02}",
        dashed=f"{year}-{month:02}-{day:02}",
        time=f"{8 + int(rng.random() * 10):02}{int(rng.random() * 60):02}{number % 60:02}",
        number=number,
        version=1 + int(rng.random() ** 3 * 9),
    )
    if not suffix:
        return stem
    # Cameras and old programs write it in capitals.
    return f"{stem}.{suffix.upper() if rng.random() < 0.06 else suffix}"


def folder(rng: Random, language: Language) -> str:
    """Return the folder of a file, "" for some; few folders hold most of the files."""
    if rng.random() * 100 < AT_THE_TOP:
        return ""
    top = language.folders[int(rng.random() ** 2 * len(language.folders))]
    chance = rng.random()
    if chance < 0.3:
        return f"{top}/{2019 + int(rng.random() * 8)}"
    if chance < 0.8:
        return f"{top}/{project(rng, language)}"
    if chance < 0.9:
        return f"{top}/{project(rng, language)}/{2019 + int(rng.random() * 8)}"
    return top


def project(rng: Random, language: Language) -> str:
    """Return an invented name of one of the language's projects, the first ones more often."""
    number = int(rng.random() ** 3 * PROJECTS_PER_LANGUAGE)
    return _PROJECTS[language.code][number]


def _day(rng: Random) -> int:
    return 1 + int(rng.random() * 28)


def _projects(language: Language) -> list[str]:
    rng = Random(f"projects {language.code}")  # noqa: S311  # not for secrets
    return [invented(rng, language).capitalize() for _ in range(PROJECTS_PER_LANGUAGE)]


_PROJECTS = {language.code: _projects(language) for language in LANGUAGES}
