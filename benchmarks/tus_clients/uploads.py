"""Uploads by many clients at a time that are killed and go on, on servers that are killed too.

Entry point: Uploads. What must hold of all of it in the end is in `aftermath`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.tus_clients.clients import Client, Work, pages_of
from benchmarks.tus_clients.servers import ServerKiller, Wanted, ports_of
from benchmarks.tus_clients.sources import Source, Sources
from files.tests.fleet import Fleet
from files.tests.request_dealer import RequestDealer
from files.tests.running_server import Answer, ask

ENDPOINT = "/api/v1/uploads/"
# Of the processes, so that clients and servers are killed at the same time; most while they
# send much.
AIMED_AT_LARGE, AIMED_AT_SMALL, LARGE_BYTES = 0.8, 0.2, 1 << 20
AGAIN = 0.06  # of the uploads: a file that was begun before
ABANDONED = 0.06  # of the uploads, once their client was killed
FROZEN = 0.2  # of the kills: the client stops, another goes on, and it comes back
AT_ANSWER = 0.3  # of the kills: just before the client hears what was done
ATTEMPTS = 40
SILENCE_S = 60.0  # so long may a client do nothing at all
ANSWER_S = 60.0
LEAVE_S = 15.0


@dataclass
class Upload:
    """One file on its way; `attempts` are the processes that were started for it."""

    number: int
    client: Client
    source: Source
    folder: Path
    is_again: bool
    attempts: int = 0
    kills: int = 0
    freezes: int = 0
    gave_up: int = 0  # processes that ended by themselves with an error
    seconds: float = 0
    state: str = "unfinished"
    address: str = ""
    requests: int = 0
    resumed: int = 0
    elsewhere: int = 0
    sent_bytes: int = 0
    slowest_s: float = 0
    slowest: str = ""
    problems: list[str] = field(default_factory=list)
    left_behind: list[subprocess.Popen[bytes]] = field(default_factory=list)


class Uploads:
    """Keeps clients busy until all that is wanted is done."""

    def __init__(
        self,
        fleet: Fleet,
        sources: Sources,
        clients: list[Client],
        wanted: Wanted,
        folder: Path,
        packages: Path,
        chance: random.Random,
    ) -> None:
        self.fleet, self.sources, self.wanted = fleet, sources, wanted
        self.done: list[Upload] = []
        self.servers_killed = 0
        self.problems: list[str] = []
        self._clients, self._folder, self._packages = clients, folder, packages
        self._chance = chance
        self._lock = threading.Lock()
        self._numbers = iter(range(1, 1_000_000))

    def run(self, at_a_time: int, told: Callable[[Upload], None]) -> None:
        """Upload until enough was killed, and what was begun has ended; `told` of each."""
        killer = ServerKiller(self.fleet, self.wanted, random.Random(self._chance.random()))
        killer.start()
        threads = [threading.Thread(target=self._work, args=(told,)) for _one in range(at_a_time)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        killer.end()
        self.servers_killed, self.problems = killer.killed, killer.problems

    # --- clients

    def _work(self, told: Callable[[Upload], None]) -> None:
        while self.wanted.begin():
            upload, chance = self._begin()
            try:
                self._upload(upload, chance)
            except Exception as error:  # noqa: BLE001 - told at the end, as all that is wrong
                upload.problems.append(f"the driver failed: {error!r}")
            with self._lock:
                self.done.append(upload)
            told(upload)

    def _begin(self) -> tuple[Upload, random.Random]:
        with self._lock:
            chance = random.Random(self._chance.random())
            number = next(self._numbers)
            # All in turn, so that each meets each kind of kill.
            client = self._clients[number % len(self._clients)]
        is_again = number > len(self._clients) and chance.random() < AGAIN
        source = self.sources.again() if is_again else self.sources.make()
        folder = self._folder / f"client-{number}"
        folder.mkdir()
        return Upload(number, client, source, folder, is_again), chance

    def _upload(self, upload: Upload, chance: random.Random) -> None:
        begun = time.monotonic()
        may_abandon = chance.random() < ABANDONED
        with RequestDealer(lambda: ports_of(self.fleet), seed=upload.number) as dealer:
            endpoint = dealer.url + ENDPOINT
            work = Work(endpoint, upload.source.path, upload.folder, self._packages)
            command = upload.client.command(work, chance)
            while not upload.address and upload.attempts < ATTEMPTS:
                upload.attempts += 1
                self._attempt(upload, command, dealer, chance)
                if may_abandon and upload.kills and not upload.address:
                    upload.state = "abandoned"
                    break
            self._part_from(upload)
            upload.seconds = time.monotonic() - begun
            dealt = dealer.dealt
        upload.requests, upload.resumed = dealt.requests, dealt.resumed
        upload.elsewhere, upload.sent_bytes = dealt.elsewhere, dealt.body_bytes
        upload.slowest_s, upload.slowest = dealt.slowest_s, dealt.slowest
        if upload.address:
            self._check(upload)
        elif upload.state != "abandoned":
            upload.problems.append(f"not there after {ATTEMPTS} attempts: {command}")

    def _attempt(
        self, upload: Upload, command: list[str], dealer: RequestDealer, chance: random.Random
    ) -> None:
        """Run the client once, to its end or to ours."""
        output = upload.folder / "output"
        with output.open("wb") as out, (upload.folder / "errors").open("ab") as errors:
            process = subprocess.Popen(
                command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=out, stderr=errors
            )
        frozen = threading.Event()
        self._aim(upload, process, frozen, dealer, chance)
        passed, end = 0, time.monotonic() + SILENCE_S
        while process.poll() is None and not frozen.wait(0.02):
            dealt = dealer.dealt
            if passed != (passed := dealt.requests + dealt.answers + dealt.body_bytes):
                end = time.monotonic() + SILENCE_S
            if time.monotonic() > end:
                # Else the client waits for nothing, as a browser whose pages were killed.
                if dealt.open:
                    upload.problems.append(f"no server answers: {dealt}, {command}")
                upload.gave_up += 1
                _signal_all(process, signal.SIGKILL)
                process.wait()
        if dealer.disarm():
            self.wanted.give_back()
        if frozen.is_set():
            upload.left_behind.append(process)
        elif process.returncode == 0 and (told := output.read_text(encoding="utf-8").split()):
            upload.address = urlsplit(told[-1]).path
        elif process.returncode != -signal.SIGKILL:
            # Or with none and nothing done, as tus-js-client in node, whose event loop is empty
            # when a server was killed in the middle of its answer.
            upload.gave_up += 1

    def _aim(
        self,
        upload: Upload,
        process: subprocess.Popen[bytes],
        frozen: threading.Event,
        dealer: RequestDealer,
        chance: random.Random,
    ) -> None:
        """Have the client killed, frozen, or an earlier one woken, somewhere on its way."""
        is_large = upload.source.size > LARGE_BYTES
        aimed_at = AIMED_AT_LARGE if is_large else AIMED_AT_SMALL
        if chance.random() > aimed_at or not self.wanted.take():
            return
        is_freeze = chance.random() < FROZEN and not upload.client.is_browser

        def strike() -> None:
            if is_freeze:
                upload.freezes += 1
                _signal_all(process, signal.SIGSTOP)
                frozen.set()
            elif upload.client.is_browser:
                # The page only: the browser is what remembers.
                for pid in pages_of(process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._aim(upload, process, frozen, dealer, chance)
            else:
                _signal_all(process, signal.SIGKILL)
            upload.kills += 1
            for earlier in upload.left_behind:
                _signal_all(earlier, signal.SIGCONT)

        if chance.random() < AT_ANSWER:
            dealer.strike(strike, in_answers=chance.randint(1, 4))
        else:
            dealer.strike(strike, in_bytes=int(chance.random() * upload.source.size))

    def _part_from(self, upload: Upload) -> None:
        """Let those that were frozen find out that another was faster."""
        for process in upload.left_behind:
            _signal_all(process, signal.SIGCONT)
        for process in upload.left_behind:
            try:
                process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                _signal_all(process, signal.SIGKILL)
                process.wait()

    def _check(self, upload: Upload) -> None:
        """Ask any server for what the client believes to have stored."""
        answer = self._ask(upload.address)
        told = json.loads(answer.body)
        upload.state = str(told.get("state", answer.status))
        file = told.get("file") or told.get("existing") or {}
        if upload.state not in ("stored", "duplicate") or file.get("hash") != upload.source.hash:
            upload.problems.append(f"the client believes in {upload.address}, but: {told}")

    def _ask(self, path: str) -> Answer:
        end = time.monotonic() + ANSWER_S
        while True:
            try:
                with self.fleet.connect() as connection:
                    return ask(connection, "GET", path)
            except (OSError, http.client.HTTPException, IndexError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)


def _signal_all(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the client and all that it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
