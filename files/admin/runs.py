"""Runs a task over a selection: at once where it is short, else in a page that shows how far
it is. Whoever leaves that page stops the run; what was done stays done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from files.actors import Actor
from files.admin.selection import Task, summary_of
from files.http.sentences import sentence_of
from files.http.slots import transfer_slots
from files.services.bulk import BATCH, Outcome, run

# Where the page is cut in two.
MARK = "<!-- run -->"
# Seconds between two reports.
REPORT_S = 0.5


def answer_run(
    request: HttpRequest,
    task: Task,
    actor: Actor,
    ids: Sequence[Any],
    *,
    context: dict[str, Any],
    back: str,
    is_short: bool = True,
) -> HttpResponseBase:
    """Do the task and go `back`, or show it being done; `context` is that of the admin's pages.

    Raises ServerBusyError where a long one is one too many.
    """
    if is_short and len(ids) <= BATCH:
        for outcome in run(task.perform, actor, ids):
            tell(request, task, outcome)
        return HttpResponseRedirect(back)
    page = context | {"title": task.title, "task": task, "back": back}
    page["total"] = task.counted(len(ids))
    head, tail = render_to_string("admin/files/run.html", page, request).split(MARK)
    return StreamingHttpResponse(RunBody(task, actor, ids, head, tail, back))


def tell(request: HttpRequest, task: Task, outcome: Outcome) -> None:
    """Put what became of a run on the next page."""
    level = messages.WARNING if outcome.gone else messages.SUCCESS
    if outcome.refused:
        level = messages.ERROR
    messages.add_message(request, level, summary_of(task, outcome))
    for _file_id, error in outcome.refusals[:10]:
        messages.error(request, sentence_of(error))


class RunBody:
    """The page of a run, sent while it runs; holds a transfer's slot until `close`."""

    def __init__(
        self, task: Task, actor: Actor, ids: Sequence[Any], head: str, tail: str, back: str
    ) -> None:
        self._task, self._back = task, back
        self._head, self._tail = head, tail
        self._outcomes = run(task.perform, actor, ids)
        self._outcome = Outcome(len(ids))
        self._slot = transfer_slots.take()

    def __iter__(self) -> Iterator[str]:
        yield self._head
        reported = 0.0
        for outcome in self._outcomes:
            self._outcome = outcome
            if time.monotonic() - reported > REPORT_S:
                reported = time.monotonic()
                yield self._part("progress")
        yield self._part("summary")
        yield self._tail

    def _part(self, name: str) -> str:
        context: dict[str, Any] = {"outcome": self._outcome, "back": self._back}
        context["task"] = self._task
        if name == "summary":
            context["summary"] = summary_of(self._task, self._outcome)
            context["refusals"] = [(pk, sentence_of(error)) for pk, error in self._outcome.refusals]
        return render_to_string(f"admin/files/_run_{name}.html", context)

    def close(self) -> None:
        """Stop, and give the slot back."""
        self._slot.close()
