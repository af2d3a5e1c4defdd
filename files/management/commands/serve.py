"""`manage.py serve`: the server that `make run` starts."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from files import server
from files.checks.connections import workers
from files.connection_watch import Limits
from files.services.copying import unfinished_copy


def at_least_one(text: str) -> int:
    """Return the number that an option was given."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return int(text)


def port(text: str) -> int:
    """Return the TCP port that an option was given."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port from 1 to 65535")
    return int(text)


class Command(BaseCommand):
    """Parse the options and hand them to `files.server`."""

    help = "Serves the pages, the API and the static files until it is stopped."
    requires_migrations_checks = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address or name to listen at")
        parser.add_argument("--port", type=port, default=8000, help="TCP port to listen at")
        parser.add_argument(
            "--workers",
            type=at_least_one,
            default=server.default_workers(),
            help="worker processes",
        )
        parser.add_argument(
            "--threads",
            type=at_least_one,
            default=settings.FILESERVER_THREADS,
            help="most requests at a time in each worker (default: FILESERVER_THREADS)",
        )
        parser.add_argument(
            "--allow-open",
            action="store_true",
            help="listen beyond this machine although anyone may add and delete files",
        )
        # Seconds after which a trickling client is cut off; for the tests.
        parser.add_argument(
            "--window", type=float, default=Limits.trickle_s, help=argparse.SUPPRESS
        )

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """Have the checks look at the database too, and count with the workers to be started."""
        workers.set(options["workers"])
        return super().get_check_kwargs(options) | {"databases": ["default"]}

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT."""
        if reason := unfinished_copy():
            raise CommandError(reason)
        server.serve(
            server.ServeOptions(
                host=options["host"],
                port=options["port"],
                workers=options["workers"],
                threads=options["threads"],
                allow_open=options["allow_open"],
                limits=Limits.within(options["window"]),
            ),
            announce=self.stdout.write,
        )
