"""Looks at the list all the time, and downloads what is new: it must be whole."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import threading
from typing import Any

from benchmarks.tus_clients.sources import Sources
from files.tests.fleet import Fleet

PAUSE_S = 0.2
BLOCK = 1 << 20
# A request met a server that was killed, or found none that was up.
CUT = (OSError, http.client.HTTPException, json.JSONDecodeError, IndexError)


class Watcher:
    """Looks from a thread of its own until it is stopped."""

    def __init__(self, fleet: Fleet, sources: Sources) -> None:
        self.looks = 0
        self.problems: list[str] = []
        self.seen: dict[int, str] = {}  # id → hash
        self._fleet = fleet
        self._sources = sources
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(PAUSE_S):
            with contextlib.suppress(*CUT):
                self._look()

    def _look(self) -> None:
        files = self._fleet.files()
        self.looks += 1
        listed = {file["id"] for file in files}
        self.problems += [f"gone again: {one}" for one in self.seen if one not in listed]
        for file in files:
            if file["id"] not in self.seen:
                self.problems += problems_of(self._fleet, self._sources, file)
                self.seen[file["id"]] = file["hash"]
            elif self.seen[file["id"]] != file["hash"]:
                self.problems.append(f"changed: {file}")


def problems_of(fleet: Fleet, sources: Sources, file: dict[str, Any]) -> list[str]:
    """Return what is wrong with a listed file, which is downloaded."""
    source = sources.by_hash.get(file["hash"])
    if source is None or source.size != file["size"]:
        return [f"nobody sent this: {file}"]
    hasher = hashlib.sha256()
    with fleet.connect() as connection:
        connection.request("GET", f"/download/{file['id']}")
        response = connection.getresponse()
        while block := response.read(BLOCK):
            hasher.update(block)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    if (response.status, hasher.hexdigest()) != (200, file["hash"]):
        return [f"came as {response.status}, {hasher.hexdigest()}: {file}"]
    return []
