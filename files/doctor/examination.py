"""All checks in order; entry point: examine."""

from __future__ import annotations

from collections.abc import Generator

from django.conf import settings

from files.doctor import configuration, machine
from files.doctor.client import Client
from files.doctor.database import database_checks
from files.doctor.findings import Finding, problem
from files.doctor.own_server import ServerFailedError, own_server
from files.doctor.passage import passage


def examine(client: Client | None = None) -> Generator[Finding, None, None]:
    """Yield what each check finds; the last ones talk to `client`, else to a server that is
    started for it. Nothing but this machine is talked to without a `client`.
    """
    for check in (*machine.CHECKS, *configuration.CHECKS):
        try:
            yield from check()
        except OSError as error:
            yield problem(check.__name__.replace("_", " ").capitalize(), f"{error}.")
    yield from database_checks()
    if client is not None:
        yield from passage(client)
        return
    try:
        with own_server() as own:
            yield from passage(own, settings.FILESERVER_MAX_UPLOAD_SIZE)
    except (OSError, ServerFailedError) as error:
        yield problem(
            "Server", f"A server for the trial does not start: {error}", "Try: manage.py serve"
        )
