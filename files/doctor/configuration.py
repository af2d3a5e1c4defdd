"""Checks of the settings: Django's own, access, hosts, proxies, static files."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import DatabaseError

from files.doctor.findings import Finding, ok, problem, warning

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Told here in other words.
_TOLD_ELSEWHERE = frozenset({"files.W001"})
_COLLECT = "Run: manage.py collectstatic --no-input (make run does)."


def system_checks() -> Iterator[Finding]:
    """Tell what Django's system checks say, those for deployment included."""
    found = checks.run_checks(include_deployment_checks=True)
    for message in found:
        if message.is_silenced() or message.id in _TOLD_ELSEWHERE:
            continue
        make = problem if message.level >= checks.ERROR else warning
        if message.level >= checks.WARNING:
            yield make("Settings", f"{message.msg} ({message.id})", message.hint or "")
    if not any(message.is_serious() for message in found):
        yield ok("Settings", "Django's checks find no error in them.")


def access() -> Iterator[Finding]:
    mode = settings.FILESERVER_ACCESS
    if mode != "open":
        yield from _accounts(mode)
    elif settings.FILESERVER_ALLOW_OPEN:
        yield warning(
            "Access",
            "Anyone who reaches the server may read, add and delete every file "
            "(FILESERVER_ACCESS=open with FILESERVER_ALLOW_OPEN).",
            "Set FILESERVER_ACCESS to private or read, unless all of the network may do so.",
        )
    else:
        yield ok(
            "Access",
            "Open to all, so the server only listens on this machine; a proxy here would still "
            "let others in.",
        )


def _accounts(mode: str) -> Iterator[Finding]:
    try:
        has_user = get_user_model()._default_manager.filter(is_active=True).exists()
    except DatabaseError:
        return  # The checks of the database tell.
    if has_user:
        yield ok("Access", f"{mode.capitalize()}: changes need an account.")
    else:
        yield problem(
            "Access",
            f"FILESERVER_ACCESS is {mode}, and there is no account to sign in with.",
            "Make one: manage.py createsuperuser.",
        )


def hosts() -> Iterator[Finding]:
    others = [host for host in settings.ALLOWED_HOSTS if host not in _LOOPBACK_NAMES]
    is_public = settings.FILESERVER_ACCESS != "open" or settings.FILESERVER_ALLOW_OPEN
    names = ", ".join(settings.ALLOWED_HOSTS) or "none"
    if is_public and not others:
        yield warning(
            "Hosts",
            f"The server answers to {names} only; others get 400.",
            "Set FILESERVER_ALLOWED_HOSTS to the names under which people reach it.",
        )
    else:
        yield ok("Hosts", f"The server answers to {names}.")


def proxies() -> Iterator[Finding]:
    networks = settings.FILESERVER_TRUSTED_PROXIES
    wide = [str(network) for network in networks if _is_wide(network)]
    if wide:
        yield warning(
            "Trusted proxies",
            f"{', '.join(wide)}: so many addresses may say which host and protocol was asked for.",
            "Set FILESERVER_TRUSTED_PROXIES to the proxy's own address.",
        )
    else:
        named = ", ".join(map(str, networks)) or "none"
        yield ok("Trusted proxies", f"{named}.")


def _is_wide(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return not network.is_private and network.prefixlen < network.max_prefixlen - 8


def static_files() -> Iterator[Finding]:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.exists():
        yield problem("Static files", f"They are not in {settings.STATIC_ROOT}.", _COLLECT)
        return
    collected = manifest.stat().st_mtime
    sources = (path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*"))
    newer = [path.name for path in sources if path.is_file() and path.stat().st_mtime > collected]
    if newer:
        yield warning(
            "Static files", f"{len(newer)} are newer than those collected ({newer[0]}).", _COLLECT
        )
    else:
        yield ok("Static files", "Collected.")


CHECKS = (system_checks, access, hosts, proxies, static_files)
