"""Writes files of the library to a folder or an archive, with a list of their hashes.

Entry point: export. Damaged files are told and left out. What was written is read again
and compared. Memory: a few chunks, a page of rows, and 12 to 24 bytes a path.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError
from django.db.models import Count, Sum

from files.exceptions import CorruptContentError
from files.member_names import MemberNames
from files.models import Content, File, FileQuerySet
from files.processing.export_folder import MARK_NAME, PART_NAME, FolderTarget, check_folder
from files.processing.export_manifest import DETAILS_NAME, SUMS_NAME, Manifest
from files.processing.export_target import Target, TargetError
from files.processing.export_zip import ZipTarget, check_zip

__all__ = ["ExportReport", "TargetError", "check_target", "export", "measure"]

# Rows of one query, with their bytes where those are in the rows.
PAGE = 100
# No file of the library gets these paths.
RESERVED = (MARK_NAME, PART_NAME, SUMS_NAME, DETAILS_NAME)
# After these every other file would fail too.
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}

Progress = Callable[[int], object]
Failure = Callable[[File | None, str, str], object]


@dataclass(slots=True)
class ExportReport:
    """What became of the files."""

    written: int = 0
    kept: int = 0  # were there already, with the right bytes
    bytes: int = 0  # of those written and kept
    failed: int = 0
    gone: int = 0  # deleted before their turn
    checked: int = 0  # read again after they were written
    differing: int = 0  # … and not found as written


def measure(files: FileQuerySet) -> tuple[int, int]:
    """Return how many files there are, and their bytes."""
    found = files.aggregate(count=Count("pk"), bytes=Sum("size"))
    return found["count"], found["bytes"] or 0


def check_target(path: Path) -> None:
    """Raise TargetError unless `path` can be exported to; nothing is made."""
    if _is_zip(path):
        check_zip(path)
    else:
        check_folder(path)


def export(
    files: FileQuerySet,
    path: Path,
    *,
    is_checked: bool = True,
    on_progress: Progress = lambda size: None,
    on_failure: Failure = lambda file, path, reason: None,
) -> ExportReport:
    """Write the files to `path`: an archive if it ends in ".zip", else a folder.

    `on_progress` is told the bytes of each file that is done, and again when it is checked;
    `on_failure` each that is damaged or cannot be written, or differs afterwards (without
    the file). A failure of the check leaves no archive. Raises TargetError where the
    target cannot be used, OSError where it is full or fails.
    """
    report = ExportReport()
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(
            contextlib.closing(ZipTarget(path) if _is_zip(path) else FolderTarget(path))
        )
        manifest = stack.enter_context(contextlib.closing(Manifest()))
        _write_all(files, target, manifest, report, on_progress, on_failure)
        target.finish(manifest)
        if is_checked:
            _check_all(target, manifest, report, on_progress, on_failure)
        if not report.differing:
            target.publish()
    return report


def _write_all(
    files: FileQuerySet,
    target: Target,
    manifest: Manifest,
    report: ExportReport,
    on_progress: Progress,
    on_failure: Failure,
) -> None:
    names = MemberNames()
    for name in RESERVED:
        names.path_of("", name)
    for file in _each(files):
        path = names.path_of(file.folder, file.name)
        try:
            position, is_kept = target.put(file, path)
        except (CorruptContentError, Content.DoesNotExist, DatabaseError, OSError) as error:
            if isinstance(error, OSError) and error.errno in _FATAL:
                raise
            if _is_gone(file):
                report.gone += 1
            else:
                report.failed += 1
                on_failure(file, path, _reason(error))
        else:
            manifest.add(file, path, position=position, is_proven=is_kept)
            report.kept += is_kept
            report.written += not is_kept
            report.bytes += file.size
        on_progress(file.size)


def _check_all(
    target: Target,
    manifest: Manifest,
    report: ExportReport,
    on_progress: Progress,
    on_failure: Failure,
) -> None:
    """Compare what was written with its hash, read from the disk again."""
    for line in manifest.lines():
        on_progress(line.size)
        if line.is_proven:
            continue
        hasher = hashlib.sha256()
        try:
            for block in target.read(line):
                hasher.update(block)
            reason = "" if hasher.hexdigest() == line.hash else "differs from what was written"
        except OSError as error:
            reason = _reason(error)
        report.checked += 1
        if reason:
            report.differing += 1
            on_failure(None, line.path, reason)


def _each(files: FileQuerySet) -> Iterator[File]:
    """Yield the files in the order of upload: who comes later changes no earlier path."""
    ordered = files.defer(None).select_related("content").prefetch_related("labels")
    page = ordered.page("upload_date", PAGE)
    while page:
        yield from page
        page = ordered.page("upload_date", PAGE, after=page[-1]) if len(page) == PAGE else []


def _is_gone(file: File) -> bool:
    """Tell whether the file was deleted for good since its row was read."""
    return not File.everything.filter(pk=file.pk).exists()


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
