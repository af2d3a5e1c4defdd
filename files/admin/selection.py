"""What operators may do to a selection of files or uploads, be it a million, and how it is told.

Ids are taken all at once (8 bytes each), so that what is done to files does not change what
is selected.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from django.db.models import Count, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from files.admin.listing import digits
from files.models import FileQuerySet
from files.services import bulk
from files.services.statistics import Amount
from files.storage import read_ids

FILES = ngettext_lazy("%(number)s file", "%(number)s files", "count")


@dataclass(frozen=True)
class Task:
    """Something to do to files, or uploads: its words, and what does it."""

    name: str
    title: str | Promise
    done: Promise  # takes `count`, and `number`: the same in digits
    perform: bulk.Perform
    things: Promise = FILES  # as `done`
    model_name: str = "file"
    is_for_good: bool = False

    @property
    def list_page(self) -> str:
        """Return the name of the address of their list."""
        return f"admin:files_{self.model_name}_changelist"

    @property
    def own_page(self) -> str:
        """Return the name of the address of each."""
        return f"admin:files_{self.model_name}_change"

    def counted(self, count: int) -> str:
        """Return how many there are, in words."""
        return str(self.things % {"count": count, "number": digits(count)})


def ids_of(files: FileQuerySet, up_to: int | None = None) -> array[int]:
    """Return the ids of the files, without those that came after the file `up_to`."""
    if up_to is not None:
        files = files.filter(pk__lte=up_to)
    return read_ids(files.values_list("pk", flat=True))


def amount_of(files: FileQuerySet) -> Amount:
    """Return how many files there are, and their bytes; reads all of an index."""
    found = files.order_by().aggregate(count=Count("pk"), bytes=Sum("size"))
    return Amount(found["count"], found["bytes"] or 0)


def summary_of(task: Task, outcome: bulk.Outcome) -> str:
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
    bulk.verify,
)
RESTORE = Task(
    "restore",
    _("Restore"),
    ngettext_lazy("%(number)s file was restored.", "%(number)s files were restored.", "count"),
    bulk.restore,
)
TRASH = Task(
    "trash",
    _("Move to the trash"),
    ngettext_lazy(
        "%(number)s file was moved to the trash.",
        "%(number)s files were moved to the trash.",
        "count",
    ),
    bulk.trash,
)
DISCARD = Task(
    "discard",
    _("Discard"),
    ngettext_lazy(
        "%(number)s upload was discarded.", "%(number)s uploads were discarded.", "count"
    ),
    bulk.discard,
    ngettext_lazy("%(number)s upload", "%(number)s uploads", "count"),
    "upload",
    is_for_good=True,
)
PURGE = Task(
    "purge",
    _("Delete for good"),
    ngettext_lazy(
        "%(number)s file was deleted for good.", "%(number)s files were deleted for good.", "count"
    ),
    bulk.purge,
    is_for_good=True,
)
