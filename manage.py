#!/usr/bin/env python
"""The project's command line: `manage.py help` lists what it can do."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, NotSupportedError, OperationalError

BROKEN_OFF = 3  # as the README's table of exit statuses says


def main(arguments: list[str]) -> None:
    """Run a command; what keeps all of them from working is told in a sentence.

    That is settings that cannot be, and a database that is away or too old: Django shows
    a traceback (as `--traceback` still does).
    """
    try:
        execute_from_command_line(arguments)
    except (ImproperlyConfigured, InterfaceError, NotSupportedError, OperationalError) as error:
        if "--traceback" in arguments:
            raise
        line = " ".join(str(error).split()).rstrip(".")
        if not isinstance(error, ImproperlyConfigured):
            line = f"The database cannot be used: {line}. `manage.py doctor` looks into it"
        sys.stderr.write(f"{line}.\n")
        sys.exit(BROKEN_OFF)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fileserver.settings")
    main(sys.argv)
