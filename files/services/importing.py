"""Imports trees of folders and single files from this machine's disks.

Entry point: import_files; `measure` tells beforehand how much there is. The caller's thread
walks and opens, `workers` threads with a database connection each read and store. A second
run goes on where a first one was killed: what is there is read, hashed and passed over.
"""

from __future__ import annotations

import contextlib
import os
import queue
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.db import connections

from files.actors import DEFAULT_SPACE_ID, SYSTEM, Actor
from files.exceptions import StorageFullError
from files.local_files import FileIdentity, Found, PassedOver, TreeWalk, identity_of, readable
from files.services.intake import Intake, Outcome, Result, SourceError, StoppedError, told

BLOCK_SIZE = 1 << 20
# Open files that wait for a worker.
QUEUE_LENGTH = 32
# What a thread sleeps before it looks whether another stopped.
POLL_S = 0.1
# Dates before this are nonsense of a disk: what 32 bits of seconds can tell, December 1901.
EARLIEST_S = -(2**31)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import, and as whom."""

    actor: Actor = SYSTEM
    space_id: int = DEFAULT_SPACE_ID
    folder: str = ""  # put in front of every file's own
    workers: int = 1
    are_dates_kept: bool = False
    are_hidden_included: bool = False
    are_links_followed: bool = False
    are_duplicates_failures: bool = False
    is_dry_run: bool = False


@dataclass(slots=True)
class ImportReport:
    """What an import did. `bytes` are those stored; of a dry run, that would be."""

    stored: int = 0
    duplicates: int = 0
    skipped: int = 0
    failed: int = 0
    bytes: int = 0
    seconds: float = 0
    failures: list[dict[str, str]] = field(default_factory=list)  # path, reason
    # Why it ended before everything was looked at; empty if it did not.
    stopped: str = ""
    is_interrupted: bool = False


class DiskFile:
    """An open file of the disk as a source; raises SourceError when it changes meanwhile."""

    def __init__(self, found: Found, options: ImportOptions) -> None:
        self.path = found.path
        self.name = readable(os.path.basename(found.path))
        self.folder = f"{options.folder}/{found.folder}"
        self._descriptor = found.open()
        self._before = os.fstat(self._descriptor)
        self.size = self._before.st_size
        self.upload_date = _date_of(self._before) if options.are_dates_kept else None
        if not stat.S_ISREG(self._before.st_mode):
            self.close()
            raise SourceError("It is no file any more.")

    def blocks(self) -> Iterator[bytes]:
        """Yield all bytes, up to the size it had: what grows is not followed for ever."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        received = 0
        while received <= self.size and (block := os.read(self._descriptor, BLOCK_SIZE)):
            received += len(block)
            if received <= self.size:
                yield block
        after = os.fstat(self._descriptor)
        before = self._before
        changed = (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns)
        if changed or received != self.size:
            raise SourceError("It changed while it was read.")

    def close(self) -> None:
        os.close(self._descriptor)


class _Import:
    """One import: what its threads share."""

    def __init__(
        self,
        options: ImportOptions,
        on_progress: Callable[[int], object],
        on_failure: Callable[[str, str], object],
    ) -> None:
        self._options = options
        self._on_progress = on_progress
        self._on_failure = on_failure
        self._report = ImportReport()
        self._queue: queue.Queue[DiskFile] = queue.Queue(QUEUE_LENGTH)
        self._is_fed = threading.Event()
        self._is_stopped = threading.Event()
        self._lock = threading.Lock()

    def run(self, paths: Iterable[str]) -> ImportReport:
        start = time.monotonic()
        # One alone can tell what a dry run would have stored before.
        count = 1 if self._options.is_dry_run else self._options.workers
        with ThreadPoolExecutor(count, "import") as pool:
            workers = [pool.submit(self._work) for _ in range(count)]
            try:
                self._feed(paths)
                self._is_fed.set()
                wait(workers)
            except KeyboardInterrupt:
                self._report.is_interrupted = True
            finally:
                self._is_stopped.set()
        while not self._queue.empty():
            self._queue.get().close()
        for worker in workers:
            worker.result()
        self._report.seconds = round(time.monotonic() - start, 3)
        return self._report

    def _feed(self, paths: Iterable[str]) -> None:
        """Open what is found for the workers, until all is or somebody stops."""
        with contextlib.closing(_walk(paths, self._options)) as walk:
            for found in walk:
                if self._is_stopped.is_set():
                    return
                if isinstance(found, Found):
                    try:
                        self._put(DiskFile(found, self._options))
                    except (OSError, SourceError) as error:
                        self._fail(found.path, told(error))
                elif found.is_failure:
                    self._fail(found.path, found.reason)
                else:
                    self._report.skipped += 1

    def _put(self, source: DiskFile) -> None:
        while not self._is_stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(source, timeout=POLL_S)
                return
        source.close()

    def _sources(self) -> Iterator[DiskFile]:
        while not self._is_stopped.is_set():
            # In this order: what was put before the end was told is still found.
            is_fed = self._is_fed.is_set()
            try:
                yield self._queue.get(timeout=0 if is_fed else POLL_S)
            except queue.Empty:
                if is_fed:
                    return

    def _work(self) -> None:
        """Take in what comes through the queue; in a thread of its own."""
        options = self._options
        intake = Intake[DiskFile](
            actor=options.actor,
            space_id=options.space_id,
            settle=self._settle,
            advance=self._advance,
            check=self._check,
            is_dry_run=options.is_dry_run,
        )
        source = None
        try:
            for source in self._sources():
                intake.take(source)
            self._check()
            intake.flush()
        except StoppedError:
            pass
        except StorageFullError as error:
            self._is_stopped.set()
            self._report.stopped = str(error)
            self._fail(source.path if source else "", str(error))
        except BaseException:
            self._is_stopped.set()
            raise
        finally:
            connections.close_all()

    def _check(self) -> None:
        if self._is_stopped.is_set():
            raise StoppedError

    def _advance(self, size: int) -> None:
        with self._lock:
            self._on_progress(size)

    def _settle(self, outcome: Outcome[DiskFile]) -> None:
        source = outcome.source
        if outcome.result == Result.FAILED:
            self._fail(source.path, outcome.reason)
        elif outcome.result == Result.STORED:
            with self._lock:
                self._report.stored += 1
                self._report.bytes += source.size
        elif self._options.are_duplicates_failures:
            there = f", as file {outcome.file_id}" if outcome.file_id else ""
            self._fail(source.path, f"The same bytes are stored already{there}.")
        else:
            with self._lock:
                self._report.duplicates += 1

    def _fail(self, path: str, reason: str) -> None:
        with self._lock:
            self._report.failed += 1
            self._report.failures.append({"path": path, "reason": reason})
            self._on_failure(path, reason)


def import_files(
    paths: Iterable[str],
    options: ImportOptions,
    *,
    on_progress: Callable[[int], object] = lambda size: None,
    on_failure: Callable[[str, str], object] = lambda path, reason: None,
) -> ImportReport:
    """Import files and folders; a folder's name begins its files' folder, unless its path
    ends with "/".

    `on_progress` is told of bytes read and `on_failure` of each path that could not be
    taken and why, by any thread, one at a time. Ctrl-C and a full disk end it early.
    """
    return _Import(options, on_progress, on_failure).run(paths)


def measure(paths: Iterable[str], options: ImportOptions) -> int:
    """Return how many bytes an import would read; looks at every file, opens none."""
    return sum(found.size for found in _walk(paths, options) if isinstance(found, Found))


def _walk(paths: Iterable[str], options: ImportOptions) -> Generator[Found | PassedOver]:
    walk = TreeWalk(
        include_hidden=options.are_hidden_included,
        follow_links=options.are_links_followed,
        without=_own_files(),
    )
    for path in paths:
        yield from walk.walk(path)


def _own_files() -> set[FileIdentity]:
    """Return the data directory and an embedded database, which must not go into itself."""
    paths = [str(settings.FILESERVER_DATA_DIR)]
    database = connections["default"]
    if database.vendor == "sqlite":
        paths += [f"{database.settings_dict['NAME']}{ending}" for ending in ("", "-wal", "-shm")]
    own = set()
    for path in paths:
        with contextlib.suppress(OSError):
            own.add(identity_of(os.stat(path)))
    return own


def _date_of(info: os.stat_result) -> datetime:
    """Return when the file was changed last, as its disk tells, but not in the future."""
    return datetime.fromtimestamp(max(min(info.st_mtime, time.time()), EARLIEST_S), UTC)
