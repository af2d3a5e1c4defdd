"""kill -9 under load: what was acknowledged stays, what was not finished is never seen."""

import pytest

from files.tests.crash_rounds import CrashRounds, summary

ROUNDS = 3


@pytest.mark.live
def test_nothing_acknowledged_is_lost_and_nothing_unfinished_is_seen(server):
    rounds = CrashRounds(server, seed=1)
    done = [rounds.run() for _number in range(ROUNDS)]
    assert [one.problems for one in done] == [[]] * ROUNDS
    assert rounds.verify_all() == []
    figures = summary(done)
    # Else nothing was tested.
    assert figures["acknowledged"] > ROUNDS
    assert figures["cut"] > 0
