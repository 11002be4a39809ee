# SPDX-License-Identifier: MIT
"""Compare what the board holds with what the host knows was written. The board never judges itself.

The digest of the whole region is asked for first. Only when it differs come the checksums of its pages, then the
content of the pages that differ, so that a slow console suffices.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Protocol

from physbuf.checksum import page_crcs
from physbuf.pattern import pattern

from .errors import BoardError

__all__ = ["CORRUPTED", "INVALID", "RETAINED", "UNREADABLE", "Comparison", "Region", "compare", "worst"]

RETAINED = "retained"
CORRUPTED = "corrupted"
UNREADABLE = "unreadable"
INVALID = "invalid"

_BY_GRAVITY = (RETAINED, CORRUPTED, UNREADABLE, INVALID)

PAGE = 4096
EXAMINED_AT_MOST = 64  # pages whose content is fetched; more would take minutes on a real console
UNRELATED = 0.4  # this share of differing bits means that nothing of the content is left (half, by chance)


class Region(Protocol):
    """A region of the board as the comparison needs it."""

    name: str
    size: int

    def digest(self) -> str:
        """SHA-256 of the whole, in hexadecimal."""

    def page_checksums(self) -> bytes:
        """CRC32C of each page, little-endian, in a row."""

    def read(self, offset: int, size: int) -> bytes:
        """The content of a part."""


@dataclass(frozen=True)
class Comparison:
    """What became of one region. Offsets are bytes from its start; flips are counted over the examined pages."""

    region: str
    verdict: str
    size: int
    flips_0to1: int = 0
    flips_1to0: int = 0
    first_offset: int | None = None
    last_offset: int | None = None
    pages_differing: int = 0
    pages_examined: int = 0

    def as_dict(self) -> dict[str, object]:
        """For the evidence."""
        return asdict(self)

    def __str__(self) -> str:
        if self.verdict == RETAINED:
            return f"{self.region}: retained"
        assert self.first_offset is not None and self.last_offset is not None
        pages = f"{self.pages_differing} of {self.size // PAGE} pages differ"
        if self.pages_examined < self.pages_differing:
            pages += f" ({self.pages_examined} examined)"
        return (
            f"{self.region}: {self.verdict}, {pages}, first at {self.first_offset:#x}, last at {self.last_offset:#x}, "
            f"{self.flips_0to1} bits 0->1, {self.flips_1to0} bits 1->0"
        )


def compare(region: Region, seed: int) -> Comparison:
    """Hold a region of the board against the pattern of ``seed``; BoardError when its answers contradict each other."""
    expected = pattern(seed, 0, region.size)
    found_digest = region.digest()
    if found_digest == sha256(expected).hexdigest():
        return Comparison(region.name, RETAINED, region.size)
    differing = _differing_pages(page_crcs(expected), region.page_checksums())
    if not differing:
        raise BoardError(f"{region.name}: the digest differs but no page does; the content changed while it was read")
    examined = _spread(differing, EXAMINED_AT_MOST)
    found = bytearray(expected)
    for start, count in _runs(examined):
        found[start * PAGE : (start + count) * PAGE] = region.read(start * PAGE, count * PAGE)
    if len(examined) == len(differing) and sha256(found).hexdigest() != found_digest:
        raise BoardError(f"{region.name}: the pages do not add up to the digest; the content changed while it was read")
    return _count(region, expected, bytes(found), differing, examined)


def worst(verdicts: Sequence[str]) -> str:
    """The gravest of several."""
    return max(verdicts, key=_BY_GRAVITY.index)


def _differing_pages(expected: bytes, found: bytes) -> list[int]:
    if len(expected) != len(found):
        raise BoardError(f"{len(found) // 4} page checksums came instead of {len(expected) // 4}")
    return [
        page
        for page in range(len(expected) // 4)
        if expected[4 * page : 4 * page + 4] != found[4 * page : 4 * page + 4]
    ]


def _spread(pages: list[int], most: int) -> list[int]:
    """At most ``most`` pages, evenly, with the first and the last."""
    if len(pages) <= most:
        return pages
    return [pages[i * (len(pages) - 1) // (most - 1)] for i in range(most)]


def _runs(pages: list[int]) -> list[tuple[int, int]]:
    """Neighbouring pages together: (first, count)."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        if runs and sum(runs[-1]) == page:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((page, 1))
    return runs


def _count(region: Region, expected: bytes, found: bytes, differing: list[int], examined: list[int]) -> Comparison:
    was, now = int.from_bytes(expected, "little"), int.from_bytes(found, "little")
    changed = was ^ now
    to_one, to_zero = (changed & now).bit_count(), (changed & was).bit_count()
    if not changed:
        raise BoardError(f"{region.name}: pages differ by checksum but not by content; the content changed meanwhile")
    share = (to_one + to_zero) / (len(examined) * PAGE * 8) * len(differing) / (region.size // PAGE)
    return Comparison(
        region=region.name,
        verdict=UNREADABLE if share >= UNRELATED else CORRUPTED,
        size=region.size,
        flips_0to1=to_one,
        flips_1to0=to_zero,
        first_offset=((changed & -changed).bit_length() - 1) // 8,
        last_offset=(changed.bit_length() - 1) // 8,
        pages_differing=len(differing),
        pages_examined=len(examined),
    )


def decode_checksums(text: str) -> bytes:
    """The page checksums as `physbuf digest --pages` sends them."""
    return base64.b64decode(text, validate=True)
