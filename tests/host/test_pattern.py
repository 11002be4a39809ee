# SPDX-License-Identifier: MIT
"""The pattern: SplitMix64, the same from any place, in memory and as bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from physbuf import PhysbufError, Region
from physbuf.pattern import fill, parse_seed, pattern

MASK = (1 << 64) - 1


def reference(seed: int, words: int) -> bytes:
    """SplitMix64 as its authors give it: a state that grows."""
    out, state = b"", seed
    for _ in range(words):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        out += (z ^ z >> 31).to_bytes(8, "little")
    return out


def test_published_vector() -> None:
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert pattern(1234567, 0, 32) == b"".join(word.to_bytes(8, "little") for word in words)


@given(st.integers(0, MASK), st.integers(0, 300), st.integers(0, 300))
def test_any_part_stands_alone(seed: int, offset: int, length: int) -> None:
    assert pattern(seed, offset, length) == reference(seed, 80)[offset : offset + length]


def test_far_offsets_wrap_in_64_bits() -> None:
    seed = MASK
    offset = (1 << 40) + 8
    state = (seed + offset // 8 * 0x9E3779B97F4A7C15) & MASK
    assert pattern(seed, offset, 8) == reference(state, 1)


@pytest.mark.parametrize("size", [1, 7, 4096, 10_003])
def test_fill_is_the_pattern(tmp_path: Path, size: int) -> None:
    path = tmp_path / "region"
    path.write_bytes(b"\xff" * size)
    with Region.open(str(path), writable=True) as region:
        fill(region, 42)
    assert path.read_bytes() == pattern(42, 0, size)


def test_a_read_only_region_is_not_filled(tmp_path: Path) -> None:
    path = tmp_path / "region"
    path.write_bytes(bytes(4096))
    with Region.open(str(path)) as region, pytest.raises(PhysbufError, match="for reading only"):
        fill(region, 1)


@pytest.mark.parametrize(("text", "seed"), [("0", 0), ("0x10", 16), ("18446744073709551615", MASK)])
def test_seeds(text: str, seed: int) -> None:
    assert parse_seed(text) == seed


@pytest.mark.parametrize("text", ["", "x", "-1", "18446744073709551616", "1.5"])
def test_bad_seeds(text: str) -> None:
    with pytest.raises(PhysbufError, match=r"seed .*: (must be|not a number)"):
        parse_seed(text)
