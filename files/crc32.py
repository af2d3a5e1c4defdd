"""Puts the CRC-32 of a text together from those of its parts, without their bytes."""

from __future__ import annotations

from functools import lru_cache


def crc32_combine(first: int, second: int, second_size: int) -> int:
    """Return the CRC-32 of two texts, one behind the other, from the CRC-32 of each.

    `second_size` is the length of the second in bytes. A CRC-32 is a polynomial over
    GF(2) modulo _POLYNOMIAL; appending n bytes multiplies it by x^8n.
    Source: Mark Adler's description of `crc32_combine` in zlib.
    """
    return _multiplied(_shift(second_size), first) ^ second


# x^32 + x^26 + … + 1 without its highest term; bit 31 stands for x^0.
_POLYNOMIAL = 0xEDB88320
_ONE, _X = 1 << 31, 1 << 30


@lru_cache(maxsize=1024)
def _shift(size: int) -> int:
    """Return x^(8 · size) modulo the polynomial."""
    power, exponent, square = _ONE, size * 8, _X
    while exponent:
        if exponent & 1:
            power = _multiplied(square, power)
        square = _multiplied(square, square)
        exponent >>= 1
    return power


def _multiplied(a: int, b: int) -> int:
    """Return a · b modulo the polynomial."""
    product = 0
    while a:
        if a & _ONE:
            product ^= b
        a = (a << 1) & 0xFFFFFFFF
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
    return product
