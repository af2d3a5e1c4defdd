"""SHA-256 whose running state can be kept, and gone on with in another process.

Entry points: Sha256 and why_not_kept. Python's hashlib cannot hand its state out; libcrypto,
which hashlib itself calls, can: the functions used here fill a structure of the caller's. Both
let other threads run meanwhile and are equally fast. Where libcrypto is missing or computes
anything else than hashlib, hashes are right all the same, and only cannot be kept.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import struct
import zlib
from functools import cache

# struct SHA256state_st of openssl/sha.h, unchanged since 0.9.8: h[8], Nl and Nh (length in
# bits), data[16] (of the block that is not full), num (bytes in it), md_len.
_CONTEXT = struct.Struct("=8I2I64s2I")
_BLOCK_SIZE = 64  # bytes
# What is kept: a CRC-32 of the rest; a version, h[8], length in bytes; then the bytes of the
# block that is not full.
_CRC = struct.Struct(">I")
_STATE = struct.Struct(">B8IQ")
_VERSION = 1
# libcrypto by the names that Linux, macOS and the BSDs give it.
_NAMES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib")


class Sha256:
    """The running SHA-256 of bytes that come one after the other."""

    def __init__(self) -> None:
        self.size = 0  # bytes so far
        self._library = _library()
        self._hashlib = hashlib.sha256()  # instead of it
        self._context = ctypes.create_string_buffer(_CONTEXT.size)
        if self._library:
            self._library.SHA256_Init(self._context)

    @classmethod
    def restored(cls, state: bytes) -> Sha256 | None:
        """Return the hash that `save` returned `state` of; None where it cannot be gone on with."""
        hasher = cls()
        crc, state = state[: _CRC.size], state[_CRC.size :]
        if not hasher._library or crc != _CRC.pack(zlib.crc32(state)) or len(state) < _STATE.size:
            return None
        version, *words, size = _STATE.unpack_from(state)
        rest = state[_STATE.size :]
        if version != _VERSION or len(rest) != size % _BLOCK_SIZE:
            return None
        bits = size * 8
        hasher._context.raw = _CONTEXT.pack(
            *words, bits & 0xFFFFFFFF, bits >> 32, rest, len(rest), hashlib.sha256().digest_size
        )
        hasher.size = size
        return hasher

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        if self._library:
            self._library.SHA256_Update(self._context, data, len(data))
        else:
            self._hashlib.update(data)

    def save(self) -> bytes:
        """Return the state in at most 108 bytes, the same on all machines; b"" if it can't be."""
        if not self._library:
            return b""
        *words, _low, _high, block, count, _length = _CONTEXT.unpack(self._context.raw)
        state = _STATE.pack(_VERSION, *words, self.size) + bytes(block[:count])
        return _CRC.pack(zlib.crc32(state)) + state

    def digest(self) -> bytes:
        """Return the hash of what has come so far, 32 bytes; more may follow."""
        if not self._library:
            return self._hashlib.digest()
        digest = ctypes.create_string_buffer(hashlib.sha256().digest_size)
        # It ends the context that it is given.
        copy = ctypes.create_string_buffer(self._context.raw, _CONTEXT.size)
        self._library.SHA256_Final(digest, copy)
        return bytes(digest.raw)

    def hexdigest(self) -> str:
        """Return the hash of what has come so far as 64 hexadecimal digits."""
        return self.digest().hex()


def why_not_kept() -> str:
    """Return why running hashes cannot be kept on this machine, "" if they can."""
    return _checked()[1]


def _library() -> ctypes.CDLL | None:
    return _checked()[0]


@cache
def _checked() -> tuple[ctypes.CDLL | None, str]:
    """Return libcrypto once it has proven itself, else None and why not."""
    library = _loaded()
    if library is None:
        return None, "libcrypto (OpenSSL) was not found."
    try:
        for function in (library.SHA256_Init, library.SHA256_Update, library.SHA256_Final):
            function.restype = ctypes.c_int
        library.SHA256_Init.argtypes = [ctypes.c_void_p]
        library.SHA256_Update.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        library.SHA256_Final.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    except AttributeError:
        return None, "This libcrypto has no SHA256_Init, _Update and _Final."
    if not _is_right(library):
        return None, "This libcrypto computes another SHA-256, or keeps it in another structure."
    return library, ""


def _loaded() -> ctypes.CDLL | None:
    for name in (*_NAMES, ctypes.util.find_library("crypto")):
        try:
            return ctypes.CDLL(name) if name else None
        except OSError:
            continue
    return None


def _is_right(library: ctypes.CDLL) -> bool:
    """Tell whether hashes that are kept and gone on with at odd places come out right.

    The buffers are larger than needed: a structure that is longer than known would be written
    beyond.
    """
    data = bytes(range(256)) * 3
    for cut in (0, 1, 63, 64, 65, 300, len(data)):
        contexts = [ctypes.create_string_buffer(4 * _CONTEXT.size) for _ in range(2)]
        library.SHA256_Init(contexts[0])
        library.SHA256_Update(contexts[0], data[:cut], cut)
        if any(contexts[0].raw[_CONTEXT.size :]):
            return False
        *_words, low, high, _block, count, length = _CONTEXT.unpack_from(contexts[0])
        if (low, high, count, length) != (cut * 8, 0, cut % _BLOCK_SIZE, 32):
            return False
        contexts[1].raw = contexts[0].raw
        library.SHA256_Update(contexts[1], data[cut:], len(data) - cut)
        digest = ctypes.create_string_buffer(32)
        library.SHA256_Final(digest, contexts[1])
        if digest.raw != hashlib.sha256(data).digest():
            return False
    return True
