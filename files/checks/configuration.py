"""Checks of the settings: what would make the server unsafe or useless, said before it starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from files import sha256

MIN_SECRET_LENGTH = 32


@register(Tags.files)
def check_data_directory(**kwargs: Any) -> Sequence[CheckMessage]:
    """The data directory holds the database and the secret: it must be ours to write."""
    folder = settings.FILESERVER_DATA_DIR
    if os.access(folder, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"The data directory {folder} cannot be written.",
            hint="Make it, owned by the user that runs the server, or set FILESERVER_DATA_DIR.",
            id="files.E001",
        )
    ]


@register(Tags.security)
def check_hosts(**kwargs: Any) -> Sequence[CheckMessage]:
    """With "*" any page on the web can reach the server through a name of its own."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "FILESERVER_ALLOWED_HOSTS is *.",
            hint="List the names and addresses that people type, with commas between.",
            id="files.E002",
        )
    ]


@register(Tags.security)
def check_secret(**kwargs: Any) -> Sequence[CheckMessage]:
    """Sessions and form tokens are signed with it."""
    if len(settings.SECRET_KEY) >= MIN_SECRET_LENGTH:
        return []
    return [
        Error(
            f"FILESERVER_SECRET_KEY has fewer than {MIN_SECRET_LENGTH} characters.",
            hint="Leave it out, and a good one is made and kept in the data directory.",
            id="files.E003",
        )
    ]


@register(Tags.security, deploy=True)
def check_access(**kwargs: Any) -> Sequence[CheckMessage]:
    """In open mode whoever reaches the port may delete everything."""
    if settings.FILESERVER_ACCESS != "open":
        return []
    return [
        Warning(
            "FILESERVER_ACCESS is open: anyone who reaches the server may do all.",
            hint="Set it to read or private.",
            id="files.W001",
        )
    ]


@register(Tags.files)
def check_kept_hashes(**kwargs: Any) -> Sequence[CheckMessage]:
    """The running hash of an unfinished upload is kept from request to request."""
    if not (reason := sha256.why_not_kept()):
        return []
    return [
        Warning(
            f"{reason} A resumed upload is read once more when its last byte has come.",
            hint="Install OpenSSL's libcrypto, 1.1 or newer (Debian: libssl3).",
            id="files.W002",
        )
    ]
