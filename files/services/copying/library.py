"""Carries a whole library from one database into another, and goes on where it was ended.

Entry point: LibraryCopy. Every table but sessions; what is in the target already, and equal, is
left alone. Rounds over all tables follow each other until one finds nothing to do: then both
libraries are equal, as each row was compared and each file's bytes were read back and hashed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, Model, Sum
from django.utils import timezone

from files.exceptions import StorageFullError, gettext_noop
from files.models import Content, File, Total
from files.services.copying import mark
from files.services.copying.contents import FileCopier
from files.services.copying.databases import has_library
from files.services.copying.ids import carry_on
from files.services.copying.rows import RowCopier, copied_models
from files.storage import is_full

# The last one finds nothing where the source is at rest; beside a busy one there is always more.
ROUNDS = 3
# Findings that a report lists; the others are only counted, and told at once.
LISTED = 10_000

OnBytes = Callable[[int], object]
OnFinding = Callable[[str], object]


@dataclass(slots=True)
class CopyReport:
    """What a run did, and how the target is now; of a dry run, what would be done."""

    copied_files: int = 0
    copied_bytes: int = 0
    written_rows: int = 0  # files and all others, added or changed
    removed_rows: int = 0
    files: int = 0  # of the target
    bytes: int = 0
    damaged_files: int = 0
    damaged: list[dict[str, Any]] = field(default_factory=list)  # id, name, text
    refused_rows: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)  # table, id, text
    # Both are equal, apart from what is damaged in the source.
    is_complete: bool = False
    seconds: float = 0


class LibraryCopy:
    """One run from a source into a target that may be copied into."""

    def __init__(
        self,
        source: BaseDatabaseWrapper,
        target: BaseDatabaseWrapper,
        *,
        on_bytes: OnBytes = lambda size: None,
        on_finding: OnFinding = lambda text: None,
    ) -> None:
        self.source, self.target = source, target
        self.report = CopyReport()
        self._on_finding = on_finding
        self._run = ""
        self._files = FileCopier(
            source.alias,
            target.alias,
            on_refused=self._refused,
            on_bytes=on_bytes,
            on_damaged=self._damaged,
            on_repaired=lambda id, name, text: on_finding(f"File {id} “{name}”: {text}."),
            before=lambda: mark.require_mine(target, self._run),
        )
        self._copiers = [
            self._files
            if model is File
            else RowCopier(model, source.alias, target.alias, on_refused=self._refused)
            for model in copied_models()
        ]

    def run(self) -> None:
        """Copy what differs; raises CopyRefusedError, and DatabaseError when a side goes away."""
        start = time.monotonic()
        try:
            with self.source.execute_wrapper(_only_reading):
                self._run = mark.prepare_target(self.source, self.target)
                if self._copy():
                    self._complete()
        except Error as error:
            if is_full(error):
                text = gettext_noop("The target has no room left.")
                raise StorageFullError(text) from error
            raise
        finally:
            self.report.seconds = round(time.monotonic() - start, 3)

    def look(self) -> None:
        """Count what a run would do, and do nothing."""
        start, report = time.monotonic(), self.report
        if not has_library(self.target):
            report.copied_files, report.copied_bytes = library_size(self.source)
            for copier in self._copiers:
                report.written_rows += copier.rows(self.source.alias).count()
        else:
            for copier in self._copiers:
                report.removed_rows += copier.remove_gone(dry_run=True)
                for missing, changed, _ in copier.differing():
                    report.written_rows += len(missing) + len(changed)
            report.copied_files, report.copied_bytes = self._files.missing()
            report.files, report.bytes = library_size(self.target)
        report.seconds = round(time.monotonic() - start, 3)

    def _copy(self) -> bool:
        """Go over all tables until nothing differs; tell whether it came to that."""
        for _ in range(ROUNDS):
            self.report.refused.clear()
            self.report.refused_rows = 0
            if not self._round():
                return not self.report.refused_rows
        return False

    def _round(self) -> int:
        """Make the target's rows those of the source; return how many that concerned."""
        report, changes = self.report, 0
        # First what is gone, those that point to others before them: what is new may need
        # a name or a hash that they had.
        for copier in reversed(self._copiers):
            removed = copier.remove_gone()
            report.removed_rows += removed
            changes += removed
        changes += self._files.remove_gone_contents()
        for copier in self._copiers:
            try:
                written = copier.copy()
            finally:
                report.copied_files = self._files.copied
                report.copied_bytes = self._files.copied_bytes
            report.written_rows += written
            changes += written
        return changes

    def _complete(self) -> None:
        """Let the target count on where the source is, and mark it as whole."""
        carry_on(self.source, self.target, (*copied_models(), Content))
        with transaction.atomic(using=self.target.alias):
            self._uncount(self._files.damaged)
            mark.finish(self.source, self.target, self._run)
        self.report.is_complete = True
        self.report.files, self.report.bytes = library_size(self.target)

    def _uncount(self, left_out: set[int]) -> None:
        """Take the files that were left out from the totals, which were copied with them."""
        files = File.everything.using(self.source.alias).without_bytes()
        for pk in sorted(left_out):
            for file in files.filter(pk=pk).select_related("content"):
                entry = Total(space_id=file.space_id, home=file.home, count=-1, bytes=-file.size)
                if file.deleted_at is None:
                    entry.suffix, entry.day = file.suffix, timezone.now().date()
                entry.save(using=self.target.alias, force_insert=True)

    def _damaged(self, id: int, name: str, text: str) -> None:
        self.report.damaged_files += 1
        if len(self.report.damaged) < LISTED:
            self.report.damaged.append({"id": id, "name": name, "text": text})
        self._on_finding(f"File {id} “{name}” is damaged in the source and left out: {text}.")

    def _refused(self, model: type[Model], pk: object, text: str) -> None:
        self.report.refused_rows += 1
        table = model._meta.db_table
        if len(self.report.refused) < LISTED:
            self.report.refused.append({"table": table, "id": pk, "text": text})
        self._on_finding(f"The target does not take row {pk} of {table}: {text}.")


def library_size(database: BaseDatabaseWrapper) -> tuple[int, int]:
    """Return how many files, and bytes, a database has, those in the trash with them."""
    found = File.everything.using(database.alias).aggregate(files=Count("pk"), size=Sum("size"))
    return found["files"], found["size"] or 0


def _only_reading(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Refuse what would change the source, whatever mistake brought it here."""
    if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA", "SHOW")):
        raise RuntimeError(f"The source of a copy is only read, not: {sql[:40]}")
    return execute(sql, params, many, context)
