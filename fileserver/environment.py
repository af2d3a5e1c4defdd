"""Readers of environment variables that fail loudly instead of guessing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def env_bool(name: str, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the variable is switched on; unset is off."""
    text = environ.get(name, "").strip().lower()
    if text not in _BOOLEANS:
        raise ImproperlyConfigured(f"{name}={text!r} is neither 1/true/yes/on nor 0/false/no/off.")
    return _BOOLEANS[text]


def env_int(
    name: str,
    default: int,
    most: int = 1_000_000,
    *,
    least: int = 0,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Return the variable as a whole number from `least` to `most`."""
    text = environ.get(name, "").strip()
    if text and not text.isdecimal():
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number.")
    if text and (len(text) > 18 or int(text) > most):
        raise ImproperlyConfigured(f"{name}={text!r} is more than {most:,}.")
    if text and int(text) < least:
        raise ImproperlyConfigured(f"{name}={text!r} is less than {least:,}.")
    return int(text) if text else default


def env_bytes(name: str, *, environ: Mapping[str, str] = os.environ) -> int | None:
    """Return the variable as a number of bytes ("500M", "2GiB"), None if unset or 0."""
    text = environ.get(name, "").strip()
    number = text.lower().removesuffix("b").removesuffix("i")
    unit = _UNITS.get(number[-1:], 1)
    digits = number[:-1] if unit > 1 else number
    if text and not digits.isdecimal():
        raise ImproperlyConfigured(f"{name}={text!r} is no size like 1000000, 500M or 2GiB.")
    return int(digits) * unit or None if text else None


def env_choice(
    name: str, choices: tuple[str, ...], *, environ: Mapping[str, str] = os.environ
) -> str:
    """Return the variable, one of `choices`; the first is the default."""
    text = environ.get(name, "").strip() or choices[0]
    if text not in choices:
        raise ImproperlyConfigured(f"{name}={text!r} is none of {', '.join(choices)}.")
    return text


def env_list(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the variable's comma-separated parts."""
    return [part.strip() for part in environ.get(name, default).split(",") if part.strip()]


def env_networks(
    name: str, *, environ: Mapping[str, str] = os.environ
) -> list[IPv4Network | IPv6Network]:
    """Return the variable's comma-separated addresses and networks ("10.0.0.0/8")."""
    try:
        return [ip_network(part, strict=False) for part in env_list(name, environ=environ)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from error


def env_secret(name: str, made_at: Path, *, environ: Mapping[str, str] = os.environ) -> str:
    """Return the secret in `name`, or in the file that `name`_FILE names.

    With neither it is made once and kept in `made_at`, readable by its owner only.
    """
    if text := environ.get(name, ""):
        return text
    if path := environ.get(f"{name}_FILE", ""):
        try:
            text = Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {error}.") from error
        if not text:
            raise ImproperlyConfigured(f"{name}_FILE: {path} is empty.")
        return text
    return _kept_secret(made_at)


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A second process may be starting too: both write whole files of their own,
    # and link() lets exactly one of them have the name.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
