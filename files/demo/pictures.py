"""Pictures and sound of a demonstration library: small encoders, no library.

Each takes a random generator, about how many bytes to make and a title that is kept
in the file, and returns a whole and valid file. Their pixels are noise: most of an
encoder's work is done once, and its results are put together by chance.
"""

from __future__ import annotations

import math
import struct
import zlib
from functools import cache
from random import Random

NOISE_SIZE = 1 << 16
# Pixels of a GIF between two codes that empty its table, so that each code is a byte.
_GIF_RUN = 120
_JPEG_POOL = 48


@cache
def noise() -> bytes:
    """Return NOISE_SIZE bytes that do not compress, the same at each run."""
    return Random("noise").randbytes(NOISE_SIZE)  # noqa: S311  # not for secrets


def some_noise(rng: Random, size: int) -> bytes:
    """Return `size` bytes of the noise, from anywhere in it."""
    at = int(rng.random() * NOISE_SIZE)
    return (noise()[at:] + noise() * (size // NOISE_SIZE + 1))[:size]


def png(rng: Random, size: int, title: str) -> bytes:
    """Return a grey PNG, not compressed."""
    side = max(math.isqrt(max(size - 110 - len(title), 0)), 4)
    pixels = some_noise(rng, side * side)
    rows = b"".join(b"\0" + pixels[at : at + side] for at in range(0, side * side, side))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        + _png_chunk(b"iTXt", b"Title\0\0\0\0\0" + title.encode())
        + _png_chunk(b"IDAT", zlib.compress(rows, 0))
        + _png_chunk(b"IEND", b"")
    )


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def gif(rng: Random, size: int, title: str) -> bytes:
    """Return a GIF of 128 colors whose codes are not compressed."""
    palette = some_noise(rng, 384)
    runs = max((size - 430 - len(title)) // (_GIF_RUN + 2), 1)
    # Eight bits a code as long as the table is emptied (128) before it holds 256 entries.
    pixels = some_noise(rng, runs * _GIF_RUN).translate(_low_half())
    codes = b"".join(b"\x80" + pixels[at : at + _GIF_RUN] for at in range(0, len(pixels), _GIF_RUN))
    comment = title.encode()[:255]
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", _GIF_RUN, runs, 0xF6, 0, 0)
        + palette
        + b"\x21\xfe" + bytes([len(comment)]) + comment + b"\0"
        + b"\x2c" + struct.pack("<HHHHB", 0, 0, _GIF_RUN, runs, 0)
        + b"\x07" + _sub_blocks(codes + b"\x81") + b"\0"
        + b"\x3b"
    )  # fmt: skip


@cache
def _low_half() -> bytes:
    return bytes(value & 0x7F for value in range(256))


def _sub_blocks(data: bytes) -> bytes:
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts)


def jpeg(rng: Random, size: int, title: str) -> bytes:
    """Return a grey baseline JPEG; its rows of blocks are parted by restart marks."""
    blocks = 8 if size < 20_000 else 40 if size < 300_000 else 160
    rows = _jpeg_rows(blocks)
    count = max(min((size - 250 - len(title)) // (len(rows[0]) + 2), 8000), 1)
    comment = title.encode()
    scan = [
        part
        for number in range(count)
        for part in (rows[int(rng.random() * _JPEG_POOL)], _RESTARTS[number % 8])
    ]
    return (
        b"\xff\xd8"
        + _jpeg_segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + _jpeg_segment(0xFE, comment)
        + _jpeg_segment(0xDB, b"\0" + b"\x08" * 64)
        + _jpeg_segment(0xC0, struct.pack(">BHHB", 8, count * 8, blocks * 8, 1) + b"\x01\x11\0")
        # Own tables: every code has four bits.
        + _jpeg_segment(0xC4, b"\0" + _four_bit_codes(12))
        + _jpeg_segment(0xC4, b"\x10" + _four_bit_codes(8))
        + _jpeg_segment(0xDD, struct.pack(">H", blocks))
        + _jpeg_segment(0xDA, b"\x01\x01\0\0\x3f\0")
        + b"".join(scan[:-1])
        + b"\xff\xd9"
    )


_RESTARTS = [bytes([0xFF, 0xD0 + number]) for number in range(8)]


def _jpeg_segment(mark: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(data) + 2) + data


def _four_bit_codes(symbols: int) -> bytes:
    return bytes([0, 0, 0, symbols, *[0] * 12, *range(symbols)])


@cache
def _jpeg_rows(blocks: int) -> list[bytes]:
    """Return _JPEG_POOL rows of so many blocks, entropy-coded and stuffed."""
    rng = Random(f"rows {blocks}")  # noqa: S311  # not for secrets
    most = 6 if blocks == 8 else 40
    return [_jpeg_row(rng, blocks, most) for _ in range(_JPEG_POOL)]


def _jpeg_row(rng: Random, blocks: int, most: int) -> bytes:
    """Return a row of blocks with up to `most` coefficients each.

    The brightness of a block is told as the difference to the one before: up, then down.
    """
    bits: list[str] = []
    for number in range(blocks):
        # A difference of `length` bits; a first bit of 1 is up, of 0 down.
        length = rng.randint(2, 6)
        first = "1" if number % 2 == 0 else "0"
        bits.append(f"{length:04b}{first}{rng.getrandbits(length - 1):0{length - 1}b}")
        for _ in range(rng.randint(1, most)):
            length = rng.randint(1, 3)
            bits.append(f"{length:04b}{rng.getrandbits(length):0{length}b}")
        bits.append("0000")  # end of block
    joined = "".join(bits)
    joined += "1" * (-len(joined) % 8)
    data = int(joined, 2).to_bytes(len(joined) // 8, "big")
    return data.replace(b"\xff", b"\xff\0")


def wav(rng: Random, size: int, title: str) -> bytes:
    """Return a WAV of noise, 8,000 samples of 8 bits a second."""
    samples = some_noise(rng, max(size - 64 - len(title), 8) & ~1)
    name = title.encode() + b"\0"
    name += b"\0" * (len(name) % 2)
    information = b"INFOINAM" + struct.pack("<I", len(name)) + name
    body = (
        b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
        + b"LIST" + struct.pack("<I", len(information)) + information
        + b"data" + struct.pack("<I", len(samples)) + samples
    )  # fmt: skip
    return b"RIFF" + struct.pack("<I", len(body)) + body
