"""Takes the files of the Flask and SQLAlchemy server over that this one replaces.

Entry point: import_legacy. Names and dates stay, types and hashes are told anew from the
bytes, and what the old rows say wrongly is reported. A second run goes on where a first one
was killed.

Memory: besides what services.intake holds, 4 MiB and LISTED findings of each kind, however
many rows there are. To name doubles, some 50 bytes a row are kept in a temporary file.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError
from django.utils.dateparse import parse_datetime

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import StorageFullError, gettext_noop
from files.services.intake import Intake, Outcome, Result, SourceError
from files.services.legacy_source import Blob, LegacyRow, LegacyTable

# By the number of hexadecimal digits.
DIGESTS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_HEXADECIMAL = re.compile("[0-9a-f]*")
# Findings of one kind that a report lists; the others are only counted, and told at once.
LISTED = 10_000
KINDS = ("null_hashes", "wrong_hashes", "doubles", "wrong_sizes", "wrong_dates", "failures")


@dataclass(slots=True)
class LegacyReport:
    """What was taken over, and what the old rows say wrongly; `id` is always the old one.

    A row with a wrong hash, size or date is stored all the same: the bytes count. Each list
    has the first LISTED findings of its kind, `found` by its name how many there were.
    """

    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    failed: int = 0
    bytes: int = 0  # stored; of a dry run, that would be
    seconds: float = 0
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    null_hashes: list[Any] = field(default_factory=list)  # ids
    # id, hash (as the row has it), sha256 (of the bytes)
    wrong_hashes: list[dict[str, Any]] = field(default_factory=list)
    # id, first_id (the row with the same bytes), file_id (None in a dry run)
    doubles: list[dict[str, Any]] = field(default_factory=list)
    wrong_sizes: list[dict[str, Any]] = field(default_factory=list)  # id, size, bytes
    wrong_dates: list[dict[str, Any]] = field(default_factory=list)  # id, upload_date
    failures: list[dict[str, Any]] = field(default_factory=list)  # id, reason
    stopped: str = ""  # why it ended early; empty if it did not
    is_interrupted: bool = False

    def add(self, kind: str, finding: Any) -> None:
        """Count a finding, and list it while there is room in the list of its kind."""
        self.found[kind] += 1
        listed: list[Any] = getattr(self, kind)
        if len(listed) < LISTED:
            listed.append(finding)


class _FirstRows:
    """Which row had some bytes first. In a temporary file, as a table may be of any length."""

    def __init__(self) -> None:
        # Without a name: SQLite keeps what is beyond its cache in a file that is gone with us.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA cache_size = -4096",
            "CREATE TABLE first (hash BLOB PRIMARY KEY, id) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def of(self, hash: str, id: Any) -> Any:
        """Return the id of the row that had these bytes first; this one's if none had."""
        key = bytes.fromhex(hash)
        # Of numbers, SQLite takes those of 64 bits.
        is_taken = isinstance(id, str | bytes) or (isinstance(id, int) and abs(id) < 1 << 63)
        kept = id if is_taken else str(id)
        try:
            added = self._database.execute("INSERT OR IGNORE INTO first VALUES (?, ?)", (key, kept))
            if added.rowcount:
                return id
            found = self._database.execute("SELECT id FROM first WHERE hash = ?", (key,))
            return found.fetchone()[0]
        except sqlite3.Error as error:
            raise StorageFullError(
                gettext_noop("There is no room for temporary files: %(reason)s."), reason=error
            ) from error

    def close(self) -> None:
        self._database.close()


class LegacyFile:
    """The file of a row as a source; `upload_date` is None where the row tells none."""

    def __init__(self, row: LegacyRow, blob: Blob) -> None:
        self.row = row
        self.name = row.name or ""
        self.folder = ""
        self.size = blob.size
        self.upload_date = date_of(row.upload_date)
        self._blob = blob
        self._hasher = _hasher_for(row.hash)

    def blocks(self) -> Iterator[bytes]:
        """Yield all bytes; raises SourceError where the database gives fewer."""
        self._hasher = _hasher_for(self.row.hash)
        position = 0
        while position < self.size:
            try:
                block = self._blob.read(position)
            except DatabaseError as error:
                raise SourceError(f"The database cannot read it: {error}.") from error
            if not block:
                raise SourceError(f"Its data end at byte {position:,} of {self.size:,}.")
            position += len(block)
            if self._hasher:
                self._hasher.update(block)
            yield block

    def is_hash_right(self) -> bool:
        """Tell whether the row's hash, of whatever kind, is that of what `blocks` yielded."""
        given = (self.row.hash or "").strip().lower()
        return self._hasher is not None and self._hasher.hexdigest() == given

    def close(self) -> None:
        self._blob.close()


class _Takeover:
    """One run over the table."""

    def __init__(
        self,
        actor: Actor,
        space_id: int,
        is_dry_run: bool,
        on_finding: Callable[[Any, str], object],
    ) -> None:
        self.report = LegacyReport()
        self._on_finding = on_finding
        self._intake = Intake[LegacyFile](
            actor=actor, space_id=space_id, settle=self._settle, is_dry_run=is_dry_run
        )
        self._first = _FirstRows()

    def run(self, table: LegacyTable, on_row: Callable[[], object]) -> None:
        start = time.monotonic()
        try:
            for row in table.rows():
                self.report.rows += 1
                self._take(table, row)
                on_row()
            self._intake.flush()
        except StorageFullError as error:
            self.report.stopped = str(error)
        except KeyboardInterrupt:
            self.report.is_interrupted = True
        finally:
            self._first.close()
        self._sort()
        self.report.seconds = round(time.monotonic() - start, 3)

    def _sort(self) -> None:
        """Bring what was found, small files of one batch in any order, into that of the ids."""
        for kind in KINDS:
            listed: list[Any] = getattr(self.report, kind)
            listed.sort(key=lambda one: _order_of(one["id"] if isinstance(one, dict) else one))

    def _take(self, table: LegacyTable, row: LegacyRow) -> None:
        if not (row.hash or "").strip():
            self.report.add("null_hashes", row.id)
        try:
            blob = table.open(row)
        except DatabaseError as error:
            self._fail(row, f"The database cannot read it: {error}.")
            return
        if blob is None:
            self._fail(row, "It has no data (null), so there is no file to store.")
        else:
            self._intake.take(LegacyFile(row, blob))

    def _settle(self, outcome: Outcome[LegacyFile]) -> None:
        file, report = outcome.source, self.report
        if outcome.result == Result.FAILED:
            self._fail(file.row, outcome.reason)
            return
        self._check(file, outcome.hash)
        first_id = self._first.of(outcome.hash, file.row.id)
        if outcome.result == Result.STORED:
            report.stored += 1
            report.bytes += file.size
            return
        report.duplicates += 1
        if first_id != file.row.id:
            found = {"id": file.row.id, "first_id": first_id, "file_id": outcome.file_id}
            report.add("doubles", found)
            there = f" (file {outcome.file_id})" if outcome.file_id else ""
            self._on_finding(file.row.id, f"The same bytes as row {first_id}{there}.")

    def _check(self, file: LegacyFile, hash: str) -> None:
        """Report what the row says wrongly of the bytes."""
        row, report = file.row, self.report
        if (row.hash or "").strip() and not file.is_hash_right():
            report.add("wrong_hashes", {"id": row.id, "hash": row.hash, "sha256": hash})
            self._on_finding(row.id, f"Its hash {row.hash} is not that of its bytes, {hash}.")
        if row.size is not None and row.size != file.size:
            report.add("wrong_sizes", {"id": row.id, "size": row.size, "bytes": file.size})
            self._on_finding(row.id, f"Its size is {row.size:,}, it has {file.size:,} bytes.")
        if file.upload_date is None:
            report.add("wrong_dates", {"id": row.id, "upload_date": row.upload_date})
            self._on_finding(row.id, f"Its date {row.upload_date} is none; it gets today's.")

    def _fail(self, row: LegacyRow, reason: str) -> None:
        self.report.failed += 1
        self.report.add("failures", {"id": row.id, "reason": reason})
        self._on_finding(row.id, f"Failed: {reason}")


def import_legacy(
    table: LegacyTable,
    *,
    actor: Actor = SYSTEM,
    space_id: int = DEFAULT_SPACE_ID,
    is_dry_run: bool = False,
    on_row: Callable[[], object] = lambda: None,
    on_finding: Callable[[Any, str], object] = lambda id, text: None,
) -> LegacyReport:
    """Store the file of each row; a row that fails is reported, and the next one follows.

    `on_finding` is told a row's id and a sentence at once; null hashes are only reported.
    A dry run remembers each hash besides, some 150 bytes a row.
    Ctrl-C and a full disk end it early. Raises DatabaseError when the source goes away.
    """
    takeover = _Takeover(actor, space_id, is_dry_run, on_finding)
    takeover.run(table, on_row)
    return takeover.report


def date_of(text: str | None) -> datetime | None:
    """Return the date in UTC, None for what is no date. Without a zone it is in UTC."""
    with contextlib.suppress(ValueError, OverflowError):
        date = parse_datetime(text or "")
        if date is not None:
            return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    return None


def _order_of(id: Any) -> str:
    """Return what numbers sort by, and what is no number, too."""
    return str(id).zfill(20)


def _hasher_for(hash: str | None) -> hashlib._Hash | None:
    """Return what computes a digest of the kind that `hash` is, None for no known kind."""
    given = (hash or "").strip().lower()
    kind = DIGESTS.get(len(given)) if _HEXADECIMAL.fullmatch(given) else None
    return hashlib.new(kind, usedforsecurity=False) if kind else None
