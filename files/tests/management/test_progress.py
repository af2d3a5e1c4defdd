from __future__ import annotations

import io
import sys
import threading

import pytest
from django.core.management.base import OutputWrapper

from files.management.progress import progress_bar, tell


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "verbosity", "is_shown"),
    [(Terminal(), 1, True), (Terminal(), 0, False), (io.StringIO(), 1, False)],
)
def test_bar_is_shown_on_a_terminal_that_wants_it(monkeypatch, stream, verbosity, is_shown):
    asked = []

    def total() -> int:
        asked.append(True)
        return 2000

    monkeypatch.setattr(sys, "stderr", stream)

    before = threading.active_count()
    with progress_bar("B", total=total, verbosity=verbosity) as bar:
        bar.update(2000)
        assert threading.active_count() == before

    assert len(asked) == is_shown
    assert ("2.00k/2.00k" in stream.getvalue()) == is_shown


def test_lines_stand_above_the_bar_and_do_nothing_to_the_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())

    with progress_bar(" files", total=lambda: 3, verbosity=1):
        tell(OutputWrapper(terminal), "\x1b[2Ja.txt: “damaged”")

    assert "\r\\x1b[2Ja.txt: “damaged”\n" in terminal.getvalue()
