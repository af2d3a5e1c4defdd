"""What is done to each file of a selection, be it a million files.

Entry points: ids_of, TASKS. Ids are taken all at once (8 bytes each), so that what is done
to files does not change what is selected; rows are read a few at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from files import storage
from files.actors import Actor
from files.admin.listing import digits
from files.exceptions import (
    CorruptContentError,
    FileNotFoundInSpaceError,
    FilesError,
    gettext_noop,
)
from files.http.sentences import sentence_of
from files.models import File, FileQuerySet
from files.services import deletion, events
from files.services.statistics import Amount

# Files between two reports of how far a run is.
BATCH = 100
# Files changed by one transaction: each waits for the disk once, and makes uploads wait.
GROUP = 20
# Refusals that are shown with their sentences.
SHOWN_REFUSALS = 100

# A file's id, and why it was refused.
Result = tuple[int, FilesError | None]


@dataclass(frozen=True)
class Task:
    """Something to do to files: its words, and what does it to some of them by their ids."""

    name: str
    title: str | Promise
    done: Promise  # takes `count`, and `number`: the same in digits
    perform: Callable[[Actor, Sequence[int]], Iterator[Result]]


@dataclass
class Outcome:
    """What has become of a run so far."""

    total: int
    done: int = 0
    gone: int = 0
    refused: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)  # id, sentence

    @property
    def seen(self) -> int:
        return self.done + self.gone + self.refused

    def add(self, file_id: int, error: FilesError | None) -> None:
        """Count what became of one file."""
        if error is None:
            self.done += 1
        elif isinstance(error, FileNotFoundInSpaceError):
            self.gone += 1
        else:
            self.refused += 1
            if len(self.refusals) < SHOWN_REFUSALS:
                self.refusals.append((file_id, sentence_of(error)))


def run(task: Task, actor: Actor, ids: Sequence[int]) -> Iterator[Outcome]:
    """Do the task to each file, and yield what has become of them after each few."""
    outcome = Outcome(len(ids))
    for start in range(0, len(ids), BATCH):
        for file_id, error in task.perform(actor, ids[start : start + BATCH]):
            outcome.add(file_id, error)
        yield outcome


def ids_of(files: FileQuerySet, up_to: int | None = None) -> array[int]:
    """Return the ids of the files, without those that came after the file `up_to`."""
    if up_to is not None:
        files = files.filter(pk__lte=up_to)
    return array("q", files.values_list("pk", flat=True).iterator(chunk_size=2000))


def amount_of(files: FileQuerySet) -> Amount:
    """Return how many files there are, and their bytes; reads all of an index."""
    found = files.order_by().aggregate(count=Count("pk"), bytes=Sum("size"))
    return Amount(found["count"], found["bytes"] or 0)


def verify_file(actor: Actor, file: File) -> FilesError | None:
    """Re-read the file's bytes and note what was found; return why it is damaged."""
    error = _damage(file)
    _note(actor, [(file, error)])
    return error


def _damage(file: File) -> FilesError | None:
    try:
        storage.verify(file)
    except CorruptContentError as error:
        return error
    return None


def _note(actor: Actor, checked: Iterable[tuple[File, FilesError | None]]) -> None:
    """Record the checks, in one transaction."""
    with storage.told_in_words(), transaction.atomic():
        for file, error in checked:
            events.record("file.verified", actor, file, intact=error is None)


def _verify(actor: Actor, ids: Sequence[int]) -> Iterator[Result]:
    files = File.everything.filter(pk__in=ids).select_related("content").in_bulk()
    checked = [(file, _damage(file)) for file in files.values()]
    _note(actor, checked)
    for file, error in checked:
        yield file.pk, error
    for file_id in ids:
        if file_id not in files:
            gone = FileNotFoundInSpaceError(gettext_noop("There is no file %(id)s."), id=file_id)
            yield file_id, gone


def _each(
    act: Callable[[Actor, int], object],
) -> Callable[[Actor, Sequence[int]], Iterator[Result]]:
    """Return what does `act` to one file after the other, a few in each transaction."""

    def perform(actor: Actor, ids: Sequence[int]) -> Iterator[Result]:
        for start in range(0, len(ids), GROUP):
            # By id, as of two runs that lock the same files one has to come first.
            group = sorted(ids[start : start + GROUP])
            try:
                with storage.told_in_words(), transaction.atomic():
                    results = [(file_id, _refusal(act, actor, file_id)) for file_id in group]
            except FilesError as error:
                results = [(file_id, error) for file_id in group]
            yield from results

    return perform


def _refusal(act: Callable[[Actor, int], object], actor: Actor, file_id: int) -> FilesError | None:
    try:
        act(actor, file_id)
    except FilesError as error:
        if connection.needs_rollback:
            # The database gave up the whole group (a full disk, say), and Django would
            # roll back what was done before without a word.
            raise
        return error
    return None


def summary_of(task: Task, outcome: Outcome) -> str:
    """Return what became of a run, in a few sentences."""
    done = task.done % {"count": outcome.done, "number": digits(outcome.done)}
    sentences = [str(done)]
    if outcome.gone:
        gone = gettext("%(count)s were not there any more, or not in that state.")
        sentences.append(gone % {"count": digits(outcome.gone)})
    if outcome.refused:
        sentences.append(gettext("Failed: %(count)s.") % {"count": digits(outcome.refused)})
    return " ".join(sentences)


VERIFY = Task(
    "verify",
    _("Verify"),
    ngettext_lazy("%(number)s file is intact.", "%(number)s files are intact.", "count"),
    _verify,
)
RESTORE = Task(
    "restore",
    _("Restore"),
    ngettext_lazy("%(number)s file was restored.", "%(number)s files were restored.", "count"),
    _each(lambda actor, file_id: deletion.restore_file(actor=actor, file_id=file_id)),
)
TRASH = Task(
    "trash",
    _("Move to the trash"),
    ngettext_lazy(
        "%(number)s file was moved to the trash.",
        "%(number)s files were moved to the trash.",
        "count",
    ),
    _each(lambda actor, file_id: deletion.delete_file(actor=actor, file_id=file_id)),
)
PURGE = Task(
    "purge",
    _("Delete for good"),
    ngettext_lazy(
        "%(number)s file was deleted for good.", "%(number)s files were deleted for good.", "count"
    ),
    _each(lambda actor, file_id: deletion.purge_file(actor=actor, file_id=file_id)),
)
TASKS = {task.name: task for task in (VERIFY, RESTORE, TRASH, PURGE)}
