"""Does one thing to many files, a few at a time, and counts what became of them.

Entry points: run, with one of verify, trash, restore and purge, or discard for uploads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from files.actors import Actor
from files.exceptions import (
    CorruptContentError,
    FileNotFoundInSpaceError,
    FilesError,
    gettext_noop,
)
from files.models import File, Upload
from files.processing.verification import Problem, Selection, verify_files
from files.services import deletion, events
from files.storage import in_transaction, is_transient, told_in_words

# Files between two reports of how far a run is.
BATCH = 100
# Files changed by one transaction: each waits for the disk once, and makes uploads wait.
GROUP = 20
# Refusals that are kept to be shown.
SHOWN_REFUSALS = 100
# Damages of one file that are told: a file of terabytes may have a million.
SHOWN_PROBLEMS = 50

# A file's id, or an upload's, and why it was refused.
Result = tuple[int | str, FilesError | None]
# Does something to the files with these ids.
Perform = Callable[[Actor, Sequence[Any]], Iterator[Result]]


@dataclass
class Outcome:
    """What has become of a run so far."""

    total: int
    done: int = 0
    gone: int = 0
    refused: int = 0
    refusals: list[tuple[int | str, FilesError]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.done + self.gone + self.refused

    def add(self, file_id: int | str, error: FilesError | None) -> None:
        """Count what became of one file."""
        if error is None:
            self.done += 1
        elif isinstance(error, FileNotFoundInSpaceError):
            self.gone += 1
        else:
            self.refused += 1
            if len(self.refusals) < SHOWN_REFUSALS:
                self.refusals.append((file_id, error))


def run(perform: Perform, actor: Actor, ids: Sequence[Any]) -> Iterator[Outcome]:
    """Do it to each file, and yield what has become of them after each few."""
    outcome = Outcome(len(ids))
    for start in range(0, len(ids), BATCH):
        for file_id, error in perform(actor, ids[start : start + BATCH]):
            outcome.add(file_id, error)
        yield outcome


def verify(actor: Actor, ids: Sequence[int]) -> Iterator[Result]:
    """Read every byte of the files again, and record what was found in one transaction.

    A file is refused with CorruptContentError, which names what is damaged.
    """
    if not ids:
        return  # A selection of no ids would be all files.
    with told_in_words():
        found = {one.file_id: one.problems for one in verify_files(Selection(ids=frozenset(ids)))}
        files = File.everything.without_bytes().in_bulk(found)
    in_transaction(_record_verified)(actor, files, found)
    for pk in ids:
        yield pk, _damage(pk, found[pk]) if pk in files else _gone(pk)


def _record_verified(
    actor: Actor, files: Mapping[int, File], found: Mapping[int, Sequence[object]]
) -> None:
    for pk, file in files.items():
        events.record("file.verified", actor, file, intact=not found[pk])


def trash(actor: Actor, ids: Sequence[int]) -> Iterator[Result]:
    """Move the files to the trash."""
    return _each(lambda pk: deletion.delete_file(actor=actor, file_id=pk), ids)


def restore(actor: Actor, ids: Sequence[int]) -> Iterator[Result]:
    """Bring the files back from the trash."""
    return _each(lambda pk: deletion.restore_file(actor=actor, file_id=pk), ids)


def purge(actor: Actor, ids: Sequence[int]) -> Iterator[Result]:
    """Delete the files for good."""
    return _each(lambda pk: deletion.purge_file(actor=actor, file_id=pk), ids)


def discard(actor: Actor, ids: Sequence[str]) -> Iterator[Result]:
    """Give uploads up that are not finished, a few in each transaction, and record who did."""
    for start in range(0, len(ids), GROUP):
        group = ids[start : start + GROUP]
        try:
            found = in_transaction(_discard_group)(actor, group)
        except FilesError as error:
            yield from ((upload_id, error) for upload_id in group)
            continue
        for upload_id in group:
            yield upload_id, None if upload_id in found else _no_upload(upload_id)


def _discard_group(actor: Actor, group: Sequence[str]) -> set[str]:
    """Return which of them were there."""
    wanted = Upload.objects.unfinished().filter(pk__in=group, space_id__in=actor.writable)
    # Locked: a request may be bringing more, or the last of it.
    found = list(wanted.without_bytes().select_for_update().order_by("pk"))
    Upload.objects.filter(pk__in=[upload.pk for upload in found]).discard()
    for upload in found:
        events.record("upload.discarded", actor, upload)
    return {upload.pk for upload in found}


def _each(act: Callable[[int], object], ids: Sequence[int]) -> Iterator[Result]:
    """Do `act` to one file after the other, a few in each transaction."""
    for start in range(0, len(ids), GROUP):
        # By id, as of two runs that lock the same files one has to come first.
        group = sorted(ids[start : start + GROUP])
        try:
            results = _act_on_group(act, group)
        except FilesError as error:
            results = [(file_id, error) for file_id in group]
        yield from results


@in_transaction
def _act_on_group(act: Callable[[int], object], group: Iterable[int]) -> list[Result]:
    return [(file_id, _refusal(act, file_id)) for file_id in group]


def _refusal(act: Callable[[int], object], file_id: int) -> FilesError | None:
    try:
        act(file_id)
    except FilesError as error:
        if connection.needs_rollback or is_transient(error):
            # The database gave up the whole group (a full disk, say), and Django would
            # roll back what was done before without a word; or it may be tried again.
            raise
        return error
    return None


def _damage(file_id: int, problems: Sequence[Problem]) -> CorruptContentError | None:
    if not problems:
        return None
    named = "; ".join(str(problem) for problem in problems[:SHOWN_PROBLEMS])
    if len(problems) <= SHOWN_PROBLEMS:
        template = gettext_noop("File %(id)s is damaged: %(problems)s.")
        return CorruptContentError(template, id=file_id, problems=named)
    return CorruptContentError(
        gettext_noop("File %(id)s is damaged: %(problems)s; and %(count)s more."),
        id=file_id,
        problems=named,
        count=f"{len(problems) - SHOWN_PROBLEMS:,}",
    )


def _no_upload(upload_id: str) -> FileNotFoundInSpaceError:
    return FileNotFoundInSpaceError(
        gettext_noop("There is no unfinished upload %(id)s."), id=upload_id
    )


def _gone(file_id: int) -> FileNotFoundInSpaceError:
    return FileNotFoundInSpaceError(gettext_noop("There is no file %(id)s."), id=file_id)
