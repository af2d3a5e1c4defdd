"""What must hold when all uploads have ended: each file is there, and nothing else.

Entry point: aftermath.
"""

from __future__ import annotations

import json
from collections import Counter

from benchmarks.tus_clients.sources import Sources
from benchmarks.tus_clients.uploads import Upload
from benchmarks.tus_clients.watcher import problems_of
from files.tests.consistency import LONG_AGO, age, database_problems, ownership_problems
from files.tests.fleet import Fleet


def aftermath(fleet: Fleet, sources: Sources, done: list[Upload]) -> list[str]:
    """Return what is wrong, after sweeping as if all unfinished uploads were long forgotten."""
    problems = _list_problems(fleet, done) + ownership_problems(fleet)
    fleet.query("UPDATE upload SET expires_at = %s", LONG_AGO)
    _sweep(fleet)  # What it takes from uploads is released by it.
    age(fleet)
    _sweep(fleet)
    left = fleet.query('SELECT id, state, "offset", size FROM upload')
    problems += [f"upload that sweep left: {row}" for row in left]
    problems += database_problems(fleet)
    for file in fleet.files():
        problems += problems_of(fleet, sources, file)
    return problems + _list_problems(fleet, done)


def _list_problems(fleet: Fleet, done: list[Upload]) -> list[str]:
    """Return the files that are not listed, or twice, or that nobody finished to send."""
    finished = {one.source.hash for one in done if one.address}
    # Their last byte may have come, though nobody waited for the answer.
    abandoned = {one.source.hash for one in done if not one.address}
    listed = Counter(file["hash"] for file in fleet.files())
    problems = [f"did not arrive: {hash}" for hash in finished - listed.keys()]
    problems += [f"there {count} times: {hash}" for hash, count in listed.items() if count > 1]
    problems += [f"nobody sent: {hash}" for hash in listed.keys() - finished - abandoned]
    return problems


def _sweep(fleet: Fleet) -> None:
    json.loads(fleet.manage("sweep", "--json"))
