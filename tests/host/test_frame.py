# SPDX-License-Identifier: MIT
"""Frames: whatever the console does to the lines, a message arrives as it was sent or not at all."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physbuf.frame import PART, REPLY, REQUEST, Assembler, Content, encode

LETTERS = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | LETTERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LETTERS, inner, max_size=4),
    max_leaves=12,
)
CONTENTS = st.dictionaries(LETTERS, VALUES, max_size=6) | st.binary(max_size=2000)
NUMBERS = st.integers(0, 0xFFFFFFFF)
KERNEL = b"[   12.345678] physbuf: region log@0x30000000+16M\r\n"

Found = list[tuple[int, Content]]


def feed(assembler: Assembler, lines: Iterable[bytes]) -> Found:
    return [message for line in lines if (message := assembler.feed(line.rstrip(b"\n")))]


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)  # does not compress


@settings(deadline=None)
@given(NUMBERS, CONTENTS)
def test_any_content_makes_the_journey(number: int, content: Content) -> None:
    for direction in (REQUEST, REPLY):
        assert feed(Assembler(direction), encode(direction, number, content)) == [(number, content)]


@pytest.mark.parametrize("size", [0, 1, PART - 20, PART, PART + 1, 100_000, 1 << 20])
def test_sizes_up_to_big_ones(size: int) -> None:
    content = noise(size)
    lines = encode(REPLY, 7, content)
    assert len(lines) >= size / PART
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 and len(line) < 700 for line in lines)
    assert feed(Assembler(REPLY), lines) == [(7, content)]


def test_nothing_is_handed_out_before_the_last_part() -> None:
    *lines, last = encode(REPLY, 7, noise(5000))
    assembler = Assembler(REPLY)
    assert feed(assembler, lines) == []
    assert feed(assembler, [last]) == [(7, noise(5000))]


def test_a_request_is_no_reply() -> None:
    assert feed(Assembler(REPLY), encode(REQUEST, 7, {"a": 1})) == []
    assert feed(Assembler(REQUEST), encode(REPLY, 7, {"a": 1})) == []


def test_an_echo_with_one_flipped_bit_is_no_reply() -> None:
    """< and > are one bit apart, so the checksum must cover the direction too."""
    (line,) = encode(REQUEST, 7, {"a": 1})
    assert ord("<") ^ ord(">") == 2
    assert feed(Assembler(REPLY), [line.replace(b"@pb1>", b"@pb1<")]) == []


@pytest.mark.parametrize(
    "around", [(b"", b"\r"), (b"", b"\r\r"), (b"# ", b""), (KERNEL.strip(), b"\r"), (b"\x1b[0m@pb1<", b"")]
)
def test_what_stands_before_a_frame_and_carriage_returns_behind_do_not_matter(around: tuple[bytes, bytes]) -> None:
    lines = [around[0] + line.rstrip(b"\n") + around[1] for line in encode(REPLY, 7, noise(1000))]
    assert feed(Assembler(REPLY), lines) == [(7, noise(1000))]


def test_parts_in_any_order_and_twice() -> None:
    lines = encode(REPLY, 7, noise(5000))
    assembler = Assembler(REPLY)
    shuffled = lines[:-1] * 2
    random.Random(3).shuffle(shuffled)
    assert feed(assembler, shuffled) == []
    assert feed(assembler, lines[-1:]) == [(7, noise(5000))]


def test_missing_names_the_lost_parts_and_they_complete_the_message() -> None:
    lines = encode(REPLY, 7, noise(5000))
    assert len(lines) == 12
    lost = [0, 4, 5, 11]
    assembler = Assembler(REPLY)
    assert feed(assembler, [line for part, line in enumerate(lines) if part not in lost]) == []
    assert assembler.missing(7) == lost
    assert feed(assembler, [lines[4]]) == []
    assert assembler.missing(7) == [0, 5, 11]
    assert feed(assembler, [lines[11], lines[5], lines[0]]) == [(7, noise(5000))]


def test_missing_is_none_for_a_message_of_which_nothing_came() -> None:
    assembler = Assembler(REPLY)
    assert assembler.missing(7) is None
    feed(assembler, encode(REPLY, 7, noise(5000))[:3])
    assert assembler.missing(8) is None
    feed(assembler, encode(REPLY, 8, noise(5000))[:1])
    assert assembler.missing(7) is None
    feed(assembler, encode(REPLY, 8, noise(5000))[1:])
    assert assembler.missing(8) is None  # it is whole and gone


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(0, 11)))
def test_any_loss_is_named_and_mended(lost: set[int]) -> None:
    lines = encode(REPLY, 7, noise(5000))
    assembler = Assembler(REPLY)
    came = feed(assembler, [line for part, line in enumerate(lines) if part not in lost])
    missing = assembler.missing(7)
    if not lost:
        assert came == [(7, noise(5000))]
    elif len(lost) == len(lines):
        assert came == []
        assert missing is None
    else:
        assert came == []
        assert missing == sorted(lost)
        assert feed(assembler, [lines[part] for part in missing]) == [(7, noise(5000))]


def test_two_messages_with_one_id_do_not_mix() -> None:
    """A board that rebooted in the middle starts its numbers anew."""
    before, after = encode(REPLY, 7, noise(2000, 1)), encode(REPLY, 7, noise(2000, 2))
    assert len(before) == len(after)
    assembler = Assembler(REPLY)
    assert feed(assembler, [*before[:2], *after[2:]]) == []
    assert assembler.missing(7) is None
    assert feed(assembler, after) == [(7, noise(2000, 2))]


def test_a_newer_message_replaces_an_unfinished_one() -> None:
    assembler = Assembler(REPLY)
    assert feed(assembler, encode(REPLY, 7, noise(2000))[:-1]) == []
    assert feed(assembler, encode(REPLY, 8, {"new": True})) == [(8, {"new": True})]


def flip(stream: bytes, at: int, mask: int, _text: bytes) -> bytes:
    at %= len(stream)
    return stream[:at] + bytes([stream[at] ^ mask]) + stream[at + 1 :]


def insert(stream: bytes, at: int, _mask: int, text: bytes) -> bytes:
    at %= len(stream)
    return stream[:at] + text + stream[at:]


def cut(stream: bytes, at: int, mask: int, _text: bytes) -> bytes:
    at %= len(stream)
    return stream[:at] + stream[at + mask :] or b"\n"


def lose_line(stream: bytes, at: int, _mask: int, _text: bytes) -> bytes:
    lines = stream.splitlines(keepends=True)
    del lines[at % len(lines)]
    return b"".join(lines) or b"\n"


def repeat_line(stream: bytes, at: int, mask: int, _text: bytes) -> bytes:
    lines = stream.splitlines(keepends=True)
    lines.insert(mask % (len(lines) + 1), lines[at % len(lines)])
    return b"".join(lines)


def swap_lines(stream: bytes, at: int, mask: int, _text: bytes) -> bytes:
    lines = stream.splitlines(keepends=True)
    one, other = at % len(lines), mask % len(lines)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


Damage = tuple[Callable[[bytes, int, int, bytes], bytes], int, int, bytes]
DAMAGE = st.tuples(
    st.sampled_from([flip, insert, cut, lose_line, repeat_line, swap_lines]),
    st.integers(0, 10_000),
    st.integers(1, 255),
    st.sampled_from([KERNEL, KERNEL.strip(), b"\n", b"\r", b"@pb1<", b"login: ", b"\x00"])
    | st.binary(min_size=1, max_size=8),
)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(min_size=1, max_size=3000) | st.dictionaries(LETTERS, VALUES, max_size=4), st.lists(DAMAGE, max_size=6)
)
def test_no_damage_yields_a_wrong_message(content: Content, damages: list[Damage]) -> None:
    lines = encode(REPLY, 7, content)
    stream = b"".join(lines)
    for damage, at, mask, text in damages:
        stream = damage(stream, at, mask, text)
    assembler = Assembler(REPLY)
    found = feed(assembler, stream.split(b"\n"))
    assert all(message == (7, content) for message in found)
    if not damages:
        assert found
    if not found and (missing := assembler.missing(7)):  # and what is asked for again heals it
        assert feed(assembler, [lines[part] for part in missing]) == [(7, content)]


def test_every_single_byte_of_a_line_is_protected() -> None:
    (line,) = encode(REPLY, 0xABCDEF01, {"a": 1})
    line = line.rstrip(b"\n")
    for at in range(len(line)):
        for bit in range(8):
            damaged = flip(line, at, 1 << bit, b"")
            for part in damaged.split(b"\n"):
                assert Assembler(REPLY).feed(part) is None, damaged


@pytest.mark.parametrize("part", [b"0/0", b"1/1", b"9/3", b"0/999999"])
def test_a_line_that_is_right_but_makes_no_sense_is_not_ours(part: bytes) -> None:
    """Numbers as no sender writes them, with a checksum that fits."""
    from physbuf import frame

    text = re.sub(rb".* ", b"", encode(REPLY, 7, {"a": 1})[0].rstrip(b"\n"))
    number, of = part.split(b"/")
    line = frame._line(REPLY, 7, int(number), int(of), b"x" * 9)
    assert line.startswith(b"@pb1<00000007 " + part)
    assert text
    assert Assembler(REPLY).feed(line.rstrip(b"\n")) is None
