from __future__ import annotations

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files import sha256
from files.sha256 import Sha256

LONG = bytes(range(256)) * 40


def hash_of(*parts: bytes) -> Sha256:
    hasher = Sha256()
    for part in parts:
        hasher.update(part)
    return hasher


def with_checksum(state: bytes) -> bytes:
    return zlib.crc32(state).to_bytes(4, "big") + state


@pytest.fixture
def without_library(monkeypatch):
    monkeypatch.setattr(sha256, "_checked", lambda: (None, "none"))


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_hash_goes_on_from_each_place(data, cuts):
    position, hasher = 0, Sha256()
    for cut in sorted(cuts):
        hasher.update(data[position:cut])
        position = max(position, min(cut, len(data)))
        restored = Sha256.restored(hasher.save())
        assert restored is not None
        hasher = restored
    hasher.update(data[position:])
    assert hasher.hexdigest() == hashlib.sha256(data).hexdigest()
    assert hasher.size == len(data)


def test_state_is_short_and_the_same_on_all_machines():
    state = hash_of(b"abc").save()
    # The initial values of FIPS 180-4, as nothing was compressed yet.
    assert state[4:] == bytes.fromhex(
        "016a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd190000000000000003616263"
    )
    assert state[:4] == zlib.crc32(state[4:]).to_bytes(4, "big")
    assert len(hash_of(LONG, b"x" * 63).save()) == 108


def test_asking_ends_nothing():
    hasher = hash_of(b"ab")
    assert hasher.digest() == hashlib.sha256(b"ab").digest()
    hasher.update(b"c")
    assert hasher.hexdigest() == hashlib.sha256(b"abc").hexdigest()


def test_lengths_beyond_32_bits_are_kept():
    state = bytearray(hash_of(b"").save())
    state[37:45] = (50 << 30).to_bytes(8, "big")
    restored = Sha256.restored(with_checksum(bytes(state[4:])))
    assert restored is not None
    restored.update(b"x")
    assert restored.size == (50 << 30) + 1
    assert Sha256.restored(restored.save()) is not None
    assert restored.save()[37:45] == ((50 << 30) + 1).to_bytes(8, "big")
    # libcrypto has the same length, in bits, in two words.
    bits = int.from_bytes(restored._context.raw[32:40], "little")
    assert bits == restored.size * 8


@pytest.mark.parametrize(
    "state",
    [b"", b"\x01", b"\x02" + b"\0" * 40, b"\x01" + b"\0" * 39 + b"\x05" + b"abc"],
)
def test_broken_states_are_told(state):
    assert Sha256.restored(state) is None
    assert Sha256.restored(with_checksum(state)) is None


def test_flipped_bit_is_told():
    state = hash_of(LONG, b"x").save()
    for position in range(len(state)):
        flipped = bytearray(state)
        flipped[position] ^= 4
        assert Sha256.restored(bytes(flipped)) is None


def test_hashes_are_right_without_libcrypto(without_library):
    hasher = hash_of(LONG, b"x")
    assert hasher.hexdigest() == hashlib.sha256(LONG + b"x").hexdigest()
    assert hasher.save() == b""
    assert sha256.why_not_kept() == "none"


def test_kept_states_are_of_no_use_without_libcrypto(monkeypatch):
    state = hash_of(b"abc").save()
    monkeypatch.setattr(sha256, "_checked", lambda: (None, "none"))
    assert Sha256.restored(state) is None


def test_library_that_computes_something_else_is_not_used(monkeypatch):
    class Wrong:
        """Has the functions, which do nothing."""

        def __init__(self):
            for name in ("SHA256_Init", "SHA256_Update", "SHA256_Final"):
                setattr(self, name, type(name, (), {"__call__": lambda *given: 1})())

    monkeypatch.setattr(sha256, "_loaded", Wrong)
    assert sha256._checked.__wrapped__()[0] is None
    monkeypatch.setattr(sha256, "_loaded", lambda: None)
    assert sha256._checked.__wrapped__() == (None, "libcrypto (OpenSSL) was not found.")


def test_this_machine_keeps_hashes():
    assert sha256.why_not_kept() == ""
