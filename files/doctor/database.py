"""Checks of the database: whether it answers, is up to date, takes writes, and how it is set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, Error, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from files.doctor import mysql, postgresql
from files.doctor.database_server import row
from files.doctor.findings import Check, Finding, ok, problem, size, warning
from files.models import Content, File, Space, Upload
from files.services.statistics import unfinished_uploads
from files.storage import room

QUICK_CHECK_S = 10.0
# SQLite asks so often, in steps of its machine, whether to go on.
STEPS_BETWEEN = 100_000
SLOW_COMMIT_S = 0.5
SWEPT_WITHIN = timedelta(days=1)
MIGRATE = "Run: manage.py migrate (make run does)."


def database_checks() -> Iterator[Finding]:
    """Run all checks of the database, but only those that the ones before leave sense in."""
    if not has_database():
        name = connection.settings_dict["NAME"]
        yield problem("Database", f"There is none at {name} yet.", MIGRATE)
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        yield problem("Database", f"It cannot be reached: {_line(error)}.", _REACH)
        return
    version = ".".join(map(str, connection.get_database_version()))
    yield ok("Database", f"{connection.display_name} {version} answers.")
    for check in _CHECKS.get(connection.vendor, ()):
        yield from _guarded(check)
    behind = list(_guarded(migrations))
    yield from behind
    if all(finding.status == "ok" for finding in behind):
        yield from _guarded(writing)
        yield from _guarded(leftovers)
        yield from _guarded(uploads)
        yield from _guarded(dates)


def has_database() -> bool:
    """Tell whether there is one to ask; SQLite would make one of a question."""
    return connection.vendor != "sqlite" or Path(str(connection.settings_dict["NAME"])).exists()


_REACH = (
    "Look at DATABASE_URL, whether the server runs, and whether this user may connect; "
    "for SQLite, at the owner of the file and of its folder."
)


def _guarded(check: Check) -> Iterator[Finding]:
    """Turn the database's error into a finding."""
    try:
        yield from check()
    except Error as error:
        yield problem("Database", f"{check.__name__}: {_line(error)}.", "See the server's log.")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{step.app_label}.{step.name}" for step, _ in plan[:3])
        yield problem("Migrations", f"{len(plan)} are to be applied: {names} …", MIGRATE)
    else:
        yield ok("Migrations", "All are applied.")


class _UndoneError(Exception):
    """Takes a transaction back."""


def writing() -> Iterator[Finding]:
    """Add a row, take it back, and look that it is gone."""
    start = time.monotonic()
    made = Space(name="doctor")
    try:
        with transaction.atomic():
            made.save()
            raise _UndoneError
    except _UndoneError:
        seconds = time.monotonic() - start
    except DatabaseError as error:
        yield problem("Writing", f"The database takes no change: {_line(error)}.", _REACH)
        return
    if Space.objects.filter(pk=made.pk, name="doctor").exists():
        yield problem(
            "Writing",
            "A change that was taken back stays.",
            "On MySQL the tables must be InnoDB: ALTER TABLE … ENGINE=InnoDB.",
        )
        Space.objects.filter(pk=made.pk, name="doctor").delete()
    elif seconds > SLOW_COMMIT_S:
        yield warning(
            "Writing",
            f"A small change took {seconds:.1f} s.",
            "Something else is writing for long, or the disk is slow.",
        )
    else:
        yield ok("Writing", "A change can be made and taken back.")


def leftovers() -> Iterator[Finding]:
    limit = timezone.now() - SWEPT_WITHIN
    late = Content.objects.abandoned().filter(keep_until__lt=limit)
    if late.exists() or Upload.objects.filter(expires_at__lt=limit).exists():
        yield warning(
            "Sweeping",
            "What was deleted or expired over a day ago still takes its space.",
            "`manage.py serve` sweeps by itself; else run manage.py sweep, from cron for example.",
        )
    else:
        yield ok("Sweeping", "Nothing deleted lies about.")


def uploads() -> Iterator[Finding]:
    """Tell of uploads that can be gone on with, and whether there is room for their rest."""
    found, free = unfinished_uploads(), room()
    if found.oldest is None:
        yield ok("Uploads", "None is unfinished.")
        return
    told = (
        f"{found.count:,} unfinished, {size(found.bytes)} of them here; nothing came for the "
        f"oldest since {found.oldest:%Y-%m-%d %H:%M} UTC."
    )
    if free is not None and found.to_come > free:
        yield warning(
            "Uploads",
            f"{told} There is no room for the {size(found.to_come)} that are to come.",
            "Make room, or discard some in the admin.",
        )
    else:
        yield ok("Uploads", told)


def dates() -> Iterator[Finding]:
    """Look for uploads of the future: the clock was wrong then, or is now."""
    # By space, as the index is: over all spaces it would be read whole, and sorted.
    newest_of_each = (
        File.objects.in_space(space_id)
        .order_by("-upload_date")
        .values_list("upload_date", flat=True)
        .first()
        for space_id in Space.objects.values_list("pk", flat=True)
    )
    newest = max((date for date in newest_of_each if date is not None), default=None)
    if newest is not None and newest > timezone.now() + timedelta(minutes=5):
        yield warning(
            "Clock",
            f"The newest file was uploaded in the future, {newest:%Y-%m-%d %H:%M} UTC.",
            "The clock was wrong then or is wrong now.",
        )


def sqlite() -> Iterator[Finding]:
    synchronous = {"full": 2, "normal": 1}[settings.FILESERVER_DURABILITY]
    yield from _pragma("journal_mode", "wal", "The log: readers and writers wait for each other.")
    yield from _pragma("synchronous", synchronous, "A power cut may take what was acknowledged.")
    yield from _pragma("page_size", 32768, "Large files are written at half the speed.")
    yield from _pragma("auto_vacuum", 2, "The file never shrinks.")
    yield from quick_check()


_REBUILD = (
    "Stop the server, then: sqlite3 files.sqlite3 'PRAGMA journal_mode=DELETE; "
    "PRAGMA page_size=32768; PRAGMA auto_vacuum=INCREMENTAL; VACUUM; PRAGMA journal_mode=WAL;'"
)


def _pragma(name: str, expected: object, otherwise: str) -> Iterator[Finding]:
    (found,) = row(f"PRAGMA {name}")
    if found == expected:
        yield ok(f"SQLite {name}", f"{found}.")
    else:
        hint = _REBUILD if name != "synchronous" else "Another program set it for its connection."
        yield warning(f"SQLite {name}", f"{found} instead of {expected}. {otherwise}", hint)


def quick_check() -> Iterator[Finding]:
    """Let SQLite look through its file for QUICK_CHECK_S at most."""
    connection.ensure_connection()
    driver = connection.connection
    end = time.monotonic() + QUICK_CHECK_S
    driver.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN)
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(3)")
            found = [row[0] for row in cursor.fetchall()]
        scope = "SQLite finds no damage in the file's structure."
    except DatabaseError as error:
        found = ["ok"] if "interrupted" in str(error) else [_line(error)]
        scope = f"No damage in the {QUICK_CHECK_S:.0f} s it was looked for."
    finally:
        driver.set_progress_handler(None, 0)
    if found == ["ok"]:
        yield ok("Integrity", f"{scope} verify_files reads the files themselves.")
    else:
        yield problem(
            "Integrity",
            f"The database is damaged: {'; '.join(found)}",
            "Stop the server, copy the data directory, and go back to a backup; "
            "`sqlite3 files.sqlite3 .recover` may save what is newer.",
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


_CHECKS: dict[str, tuple[Check, ...]] = {
    "sqlite": (sqlite,),
    "mysql": mysql.CHECKS,
    "postgresql": postgresql.CHECKS,
}
