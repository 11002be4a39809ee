# SPDX-License-Identifier: MIT
"""The comparison on the host: what is found is exact, and a board that contradicts itself is not believed."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physbuf.checksum import page_crcs
from physbuf.pattern import pattern
from physbuf_lab.errors import BoardError
from physbuf_lab.verdict import (
    CORRUPTED,
    EXAMINED_AT_MOST,
    INVALID,
    PAGE,
    RETAINED,
    UNREADABLE,
    Comparison,
    compare,
    decode_checksums,
    worst,
)

SEED = 0x1234


class Bytes:
    """A region that answers honestly about its content, and remembers what it was asked."""

    name = "log"

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        self.size = len(content)
        self.reads: list[tuple[int, int]] = []

    def digest(self) -> str:
        return sha256(self.content).hexdigest()

    def page_checksums(self) -> bytes:
        return page_crcs(bytes(self.content))

    def read(self, offset: int, size: int) -> bytes:
        self.reads.append((offset, size))
        return bytes(self.content[offset : offset + size])


def written(pages: int) -> Bytes:
    return Bytes(pattern(SEED, 0, pages * PAGE))


def count_flips(expected: bytes, found: bytes) -> tuple[int, int]:
    """Bit by bit."""
    pairs = [(was >> bit & 1, now >> bit & 1) for was, now in zip(expected, found, strict=True) for bit in range(8)]
    return pairs.count((0, 1)), pairs.count((1, 0))


def test_retained_needs_no_more_than_the_digest() -> None:
    region = written(4)
    region.page_checksums = None  # type: ignore[assignment, method-assign]
    assert compare(region, SEED) == Comparison("log", RETAINED, 4 * PAGE)
    assert str(compare(region, SEED)) == "log: retained"


@pytest.mark.parametrize("offset", [0, 1, 4095, 4096, 3 * PAGE - 1])
@pytest.mark.parametrize("bit", [0, 7])
def test_a_single_bit_is_found_in_its_place(offset: int, bit: int) -> None:
    region = written(3)
    before = region.content[offset] >> bit & 1
    region.content[offset] ^= 1 << bit
    found = compare(region, SEED)
    assert found.verdict == CORRUPTED
    assert (found.flips_0to1, found.flips_1to0) == ((0, 1) if before else (1, 0))
    assert (found.first_offset, found.last_offset) == (offset, offset)
    assert (found.pages_differing, found.pages_examined) == (1, 1)
    assert region.reads == [(offset // PAGE * PAGE, PAGE)]
    assert str(found) == (
        f"log: corrupted, 1 of 3 pages differ, first at {offset:#x}, last at {offset:#x}, "
        f"{found.flips_0to1} bits 0->1, {found.flips_1to0} bits 1->0"
    )


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 5 * PAGE - 1), st.integers(1, 255), min_size=1, max_size=20))
def test_flips_are_counted_exactly(masks: dict[int, int]) -> None:
    region = written(5)
    for offset, mask in masks.items():
        region.content[offset] ^= mask
    found = compare(region, SEED)
    assert found.verdict == CORRUPTED
    assert (found.flips_0to1, found.flips_1to0) == count_flips(pattern(SEED, 0, 5 * PAGE), bytes(region.content))
    assert (found.first_offset, found.last_offset) == (min(masks), max(masks))
    assert found.pages_differing == found.pages_examined == len({offset // PAGE for offset in masks})


def test_neighbouring_pages_are_read_together() -> None:
    region = written(8)
    for page in (1, 2, 3, 6):
        region.content[page * PAGE] ^= 1
    compare(region, SEED)
    assert region.reads == [(PAGE, 3 * PAGE), (6 * PAGE, PAGE)]


@pytest.mark.parametrize("content", [bytes(8 * PAGE), b"\xff" * (8 * PAGE), random.Random(5).randbytes(8 * PAGE)])
def test_wiped_or_scrambled_is_unreadable(content: bytes) -> None:
    found = compare(Bytes(content), SEED)
    assert found.verdict == UNREADABLE
    assert (found.flips_0to1, found.flips_1to0) == count_flips(pattern(SEED, 0, 8 * PAGE), content)
    assert found.pages_differing == 8


@pytest.mark.parametrize("wiped", [1, 4, 5])
def test_partly_wiped_is_corrupted(wiped: int) -> None:
    region = written(8)
    region.content[: wiped * PAGE] = bytes(wiped * PAGE)
    found = compare(region, SEED)
    assert found.verdict == CORRUPTED
    assert found.pages_differing == wiped
    assert found.last_offset is not None
    assert wiped * PAGE - 16 <= found.last_offset < wiped * PAGE


def test_the_content_of_another_seed_is_unreadable() -> None:
    assert compare(written(8), SEED + 1).verdict == UNREADABLE


def test_too_many_pages_are_sampled_with_the_first_and_the_last() -> None:
    region = written(700)
    region.content[2 * PAGE : 650 * PAGE] = bytes(648 * PAGE)
    region.content[PAGE + 17] ^= 1
    region.content[698 * PAGE + 99] ^= 0x80
    found = compare(region, SEED)
    assert (found.pages_differing, found.pages_examined) == (650, EXAMINED_AT_MOST)
    assert (found.first_offset, found.last_offset) == (PAGE + 17, 698 * PAGE + 99)
    assert sum(size for _, size in region.reads) == EXAMINED_AT_MOST * PAGE
    assert f"650 of 700 pages differ ({EXAMINED_AT_MOST} examined)" in str(found)
    assert found.verdict == UNREADABLE  # 650 of 700 pages with half of their bits wrong


def test_a_sample_is_weighed_by_all_the_pages() -> None:
    region = written(1000)
    region.content[: 300 * PAGE] = bytes(300 * PAGE)
    found = compare(region, SEED)
    assert (found.pages_differing, found.pages_examined) == (300, EXAMINED_AT_MOST)
    assert found.verdict == CORRUPTED


def test_just_as_many_pages_as_are_examined_are_all_read() -> None:
    region = written(EXAMINED_AT_MOST)
    region.content[:] = bytes(region.size)
    found = compare(region, SEED)
    assert found.pages_examined == found.pages_differing == EXAMINED_AT_MOST
    assert region.reads == [(0, region.size)]


def digest_of_nothing(region: Bytes) -> None:
    region.digest = lambda: "0" * 64  # type: ignore[method-assign]


def checksums_of_what_was_expected(region: Bytes) -> None:
    region.content[5] ^= 1
    region.page_checksums = lambda: page_crcs(pattern(SEED, 0, region.size))  # type: ignore[method-assign]


def pages_of_what_was_expected(region: Bytes) -> None:
    region.content[5] ^= 1
    region.read = lambda offset, size: pattern(SEED, offset, size)  # type: ignore[method-assign]


def one_page_hidden(region: Bytes) -> None:
    """Two pages differ, only one is admitted."""
    honest = bytearray(region.content)
    region.content[5] ^= 1
    honest[5] ^= 1
    region.content[PAGE + 5] ^= 1
    region.page_checksums = lambda: page_crcs(bytes(honest))  # type: ignore[method-assign]


def too_few_checksums(region: Bytes) -> None:
    region.content[5] ^= 1
    region.page_checksums = lambda: page_crcs(bytes(region.content[:PAGE]))  # type: ignore[method-assign]


def changes_while_it_is_read(region: Bytes) -> None:
    region.content[5] ^= 1
    read = region.read

    def changing(offset: int, size: int) -> bytes:
        region.content[9] ^= 1
        return read(offset, size)

    region.read = changing  # type: ignore[method-assign]


def heals_while_it_is_read(region: Bytes) -> None:
    """All of a sample is right again once it is looked at: the digest cannot be held against a sample."""
    region.content[:] = bytes(region.size)
    region.read = lambda offset, size: pattern(SEED, offset, size)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("lie", "pages", "why"),
    [
        (digest_of_nothing, 3, "the digest differs but no page does"),
        (checksums_of_what_was_expected, 3, "the digest differs but no page does"),
        (pages_of_what_was_expected, 3, "the pages do not add up to the digest"),
        (one_page_hidden, 3, "the pages do not add up to the digest"),
        (changes_while_it_is_read, 3, "the pages do not add up to the digest"),
        (too_few_checksums, 3, "1 page checksums came instead of 3"),
        (heals_while_it_is_read, 300, "pages differ by checksum but not by content"),
    ],
)
def test_a_board_that_contradicts_itself_is_not_believed(lie: Callable[[Bytes], None], pages: int, why: str) -> None:
    region = written(pages)
    lie(region)
    with pytest.raises(BoardError, match=why):
        compare(region, SEED)


def test_the_gravest_verdict_counts() -> None:
    order = [RETAINED, CORRUPTED, UNREADABLE, INVALID]
    for i, grave in enumerate(order):
        assert worst([*order[:i], grave, RETAINED]) == grave


def test_checksums_that_are_no_base64_are_refused() -> None:
    assert decode_checksums("AAECAw==") == b"\0\1\2\3"
    with pytest.raises(ValueError, match="base64"):
        decode_checksums("AAEC*Aw==")
