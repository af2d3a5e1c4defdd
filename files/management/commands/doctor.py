from __future__ import annotations

import contextlib
import json
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from files.doctor.client import Client, UnknownAddressError
from files.doctor.examination import examine
from files.doctor.findings import Finding, Status
from files.management.exits import FAILED, FilesCommand


def address(text: str) -> Client:
    """Return a client of the address that the option was given."""
    try:
        return Client(text)
    except UnknownAddressError as error:
        raise ArgumentTypeError(str(error)) from error


class Command(FilesCommand):
    help = (
        "Look whether the settings, the database, the disk and the way to the server are sound, "
        "and say in plain words what is not."
    )
    # Told among the findings, instead of ending the command.
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url",
            type=address,
            metavar="ADDRESS",
            help="try this server, through its proxy, with an upload of 20 MiB that is deleted "
            "again (default: a server of its own on this machine, with an empty library)",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON")

    def handle(self, *, url: Client | None, as_json: bool, **options: Any) -> None:
        findings: list[Finding] = []
        try:
            # Closed also when this is broken off: the probe is deleted then.
            with contextlib.closing(examine(url)) as examination:
                for finding in examination:
                    findings.append(finding)
                    if not as_json:
                        self._tell(finding)
        except KeyboardInterrupt:
            self._sum_up(findings, as_json=as_json)
            raise
        if problems := self._sum_up(findings, as_json=as_json):
            text = "1 problem." if problems == 1 else f"{problems} problems."
            raise CommandError(text, returncode=FAILED)

    def _sum_up(self, findings: list[Finding], *, as_json: bool) -> int:
        """Write the end of the report, and return the number of problems."""
        counts = Counter(finding.status for finding in findings)
        if as_json:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings]))
        else:
            parts = (f"{status.value}: {counts[status]}" for status in Status)
            self.stdout.write(f"{len(findings)} checks; {', '.join(parts)}.")
        return counts[Status.PROBLEM]

    def _tell(self, finding: Finding) -> None:
        style = {
            Status.OK: self.style.SUCCESS,
            Status.WARNING: self.style.WARNING,
            Status.PROBLEM: self.style.ERROR,
        }[finding.status]
        self.stdout.write(f"{style(f'{finding.status:7}')}  {finding.check}: {finding.text}")
        if finding.hint:
            self.stdout.write(f"         → {finding.hint}")
        self.stdout.flush()
