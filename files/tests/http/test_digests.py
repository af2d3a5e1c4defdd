from __future__ import annotations

import base64
import hashlib
import time
from contextlib import suppress

import pytest

from files.exceptions import InvalidDigestError
from files.http.digests import parse_digest, repr_digest

DIGEST = hashlib.sha256(b"hello").digest()
B64 = base64.b64encode(DIGEST).decode()


@pytest.mark.parametrize(
    "field",
    [
        f"sha-256=:{B64}:",
        f" sha-256=:{B64}: ",
        f"sha-256=:{B64.rstrip('=')}:",
        f"sha-512=:AAAA:, sha-256=:{B64}:",
        f"sha-256=:{B64}:,md5=:AAAA:",
        f"sha-256=:{B64}:;q=1, unixsum=3",
        f'x="a, sha-256=:AAAA:", sha-256=:{B64}:',
        f"sha-256=:{B64.replace(B64[0], 'A', 1)}:, sha-256=:{B64}:",
    ],
)
def test_sha256_is_found(field):
    assert parse_digest(field) == DIGEST


@pytest.mark.parametrize("field", ["", "md5=:AAAA:", "sha-512=:AAAA:", "sha-2560=:AAAA:", "flag"])
def test_other_algorithms_are_ignored(field):
    assert parse_digest(field) is None


@pytest.mark.parametrize(
    "field",
    [
        "sha-256",
        "sha-256=",
        "sha-256=::",
        "sha-256=:AAAA:",
        f"sha-256={B64}",
        f'sha-256="{B64}"',
        f"sha-256=:{B64}",
        f"sha-256=:{B64[:-4]}!!!=:",
        f"SHA-256=:{B64}:",
        "sha-256=:" + "A" * 88 + ":",
        "=",
        ",",
        '"',
        "sha-256=:ä:",
    ],
)
def test_malformed_digest_is_refused(field):
    with pytest.raises(InvalidDigestError):
        parse_digest(field)


def test_response_digest_can_be_parsed():
    assert repr_digest(DIGEST.hex()) == f"sha-256=:{B64}:"
    assert parse_digest(repr_digest(DIGEST.hex())) == DIGEST


@pytest.mark.parametrize("piece", ['"\\', "a;", 'a;"', "a=:", 'a="', ":", "a,", ";=", ' a=""'])
def test_hostile_field_is_judged_quickly(piece):
    started = time.process_time()
    with suppress(InvalidDigestError):
        parse_digest("a=" + piece * (32_000 // len(piece)) + "!")
    assert time.process_time() - started < 1
