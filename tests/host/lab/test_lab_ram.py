# SPDX-License-Identifier: MIT
"""The RAM of an emulated board: what power and firmware do to it, and its borders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from physbuf_lab.emulated.ram import Ram

SIZE = (3 << 20) + 4096  # more than a few blocks, and not a multiple of them


@pytest.fixture
def ram() -> Iterator[Ram]:
    ram = Ram(SIZE)
    ram.power_up()
    yield ram
    ram.drop()


def write(file: int, address: int, data: bytes) -> None:
    assert os.pwrite(file, data, address) == len(data)


def test_the_address_is_the_offset_in_the_file() -> None:
    ram = Ram(SIZE)
    file = ram.power_up()
    assert os.fstat(file).st_size == SIZE
    write(file, 0x1234, b"hello")
    assert ram.read(0x1234, 5) == b"hello"
    assert ram.read(SIZE - 3, 3) == bytes(3)
    assert ram.read(SIZE, 0) == b""
    ram.drop()


def test_ram_may_begin_elsewhere() -> None:
    base = 0x40000000
    ram = Ram(SIZE, base)
    file = ram.power_up()
    write(file, 0x1234, b"hello")
    assert ram.read(base + 0x1234, 5) == b"hello"
    ram.flip(base + SIZE - 1)
    assert os.pread(file, 1, SIZE - 1) == b"\xff"
    for address, size in ((base - 1, 1), (base + SIZE, 1), (0, 1)):
        with pytest.raises(ValueError, match="from 0x40000000 on"):
            ram.read(address, size)
    ram.drop()


def test_flip_inverts_one_byte_or_some_of_its_bits(ram: Ram) -> None:
    ram.flip(100)
    assert ram.read(99, 3) == b"\x00\xff\x00"
    ram.flip(100, 0x81)
    assert ram.read(99, 3) == b"\x00\x7e\x00"
    ram.flip(SIZE - 1)
    assert ram.read(SIZE - 1, 1) == b"\xff"


def test_wipe_clears_all_but_what_the_firmware_runs_in() -> None:
    ram = Ram(SIZE)
    file = ram.power_up()
    write(file, 0, b"\xff" * SIZE)
    ram.wipe()
    first = 1 << 20
    assert os.pread(file, SIZE + 1, 0) == b"\xff" * first + bytes(SIZE - first)
    ram.drop()


def test_power_away_loses_the_content() -> None:
    ram = Ram(SIZE)
    write(ram.power_up(), 0, b"kept?")
    ram.drop()
    with pytest.raises(ValueError, match="has no power"):
        ram.read(0, 1)
    ram.power_up()
    assert ram.read(0, 5) == bytes(5)
    write(ram.power_up(), 0, b"again")  # a second power-up is cold, too
    ram.power_up()
    assert ram.read(0, 5) == bytes(5)
    ram.drop()


def test_no_descriptor_is_left() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    ram = Ram(SIZE)
    for _ in range(3):
        ram.power_up()
    ram.drop()
    ram.drop()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(("address", "size"), [(-1, 1), (SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1), (0, -1), (1 << 64, 1)])
def test_outside_is_refused(ram: Ram, address: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in the board's RAM of 0x301000 bytes from 0x0 on"):
        ram.read(address, size)


@pytest.mark.parametrize("address", [-1, SIZE])
def test_no_byte_outside_is_flipped(ram: Ram, address: int) -> None:
    with pytest.raises(ValueError, match="is not in the board's RAM"):
        ram.flip(address)


def test_without_power_nothing_can_be_done() -> None:
    ram = Ram(SIZE)
    for do in (ram.wipe, lambda: ram.flip(0), lambda: ram.read(0, 1)):
        with pytest.raises(ValueError, match="has no power"):
            do()
