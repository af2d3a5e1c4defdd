"""Make a test that CI was meant to run, and skipped, a failure."""

import os
import re
from collections.abc import Generator

import pytest

MUST_RUN = ("live", "browser")
# How the reason begins where a test has nothing to say of the database it is run on, or takes
# what many a CI forbids its containers, even as root.
EXCUSED = re.compile(r"(Skipped: )?about (SQLite|MySQL|PostgreSQL|a file system that may not)\b")


def fail_if_skipped_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skipped report into a failed one where CI is set to true."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    if EXCUSED.match(str(reason)):
        return
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} must run in CI, but: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a skipped live or browser test in CI: a missing service must not look green."""
    report = yield
    if any(item.get_closest_marker(name) for name in MUST_RUN):
        fail_if_skipped_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that skips itself as a whole in CI: its marks cannot be known."""
    report = yield
    fail_if_skipped_in_ci(report)
    return report
