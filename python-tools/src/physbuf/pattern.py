# SPDX-License-Identifier: MIT
"""The pattern that proves retention: SplitMix64 of a 64-bit seed, as docs/format.md specifies it.

Each byte depends on the seed and on its place alone, so any page can be made without the ones before it.
"""

from __future__ import annotations

from ._native import ffi, lib
from .errors import PhysbufError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .region import Region

__all__ = ["MAX_SEED", "fill", "parse_seed", "pattern"]

MAX_SEED = (1 << 64) - 1


def pattern(seed: int, offset: int, length: int) -> bytes:
    """The bytes offset .. offset+length of the pattern. The seed is 0 .. 2**64-1, else PhysbufError."""
    _check(seed)
    if offset < 0 or length < 0:
        raise PhysbufError(f"pattern: offset {offset} and length {length} must not be negative")
    out = ffi.new("unsigned char[]", length)
    lib.physbuf_pattern(seed, offset, out, length)
    return bytes(ffi.buffer(out))


def fill(region: Region, seed: int) -> None:
    """Fill the whole region, which must be open for writing. What it held is gone."""
    region.fill(_check(seed))


def parse_seed(text: str) -> int:
    """A seed as a user writes it: decimal, or hexadecimal with 0x."""
    try:
        seed = int(text, 0)
    except ValueError:
        raise PhysbufError(f"seed {text!r}: not a number; write it decimal or as 0x…") from None
    return _check(seed)


def _check(seed: int) -> int:
    if not 0 <= seed <= MAX_SEED:
        raise PhysbufError(f"seed {seed}: must be 0 .. 2**64-1")
    return seed
