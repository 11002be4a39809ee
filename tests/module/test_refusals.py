# SPDX-License-Identifier: MIT
"""Regions that the module must refuse, each with a message that names the region and the remedy."""

from __future__ import annotations

import pytest
from guest import Guest

MIB = 1 << 20
BELOW = 0x10000000  # bytes below what the image put aside, all of it the kernel's RAM


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("ram@{ram:#x}+1M", "{put_aside_ram}"),
        ("half@{half:#x}+2M", "{put_aside_half}"),
        ("gone@0x8000000000+1M", "gone"),
        ("odd@{odd:#x}+1M", "{odd:#x}"),
        ("none@{base:#x}+0", "none"),
        ("wrap@0xfffffffffffff000+1M", "wrap"),
        ("UPPER@{base:#x}+1M", "UPPER"),
        ("x@{base:#x}+1M,cache=wt", "wt"),
        ("x@{base:#x}+1M,color=red", "color"),
        ("x@{base:#x}+1M,role=hero", "hero"),
        ("x@{base:#x}+1M,role=state,cache=wc", "role=state"),
        ("x@pages+1M,role=state", "role=state"),
        ("x@dma+1M,cache=wb", "cache"),
        ("x@pages+1M,cache=wc", "cache"),
        ("x@vmalloc+1M,cache=uc", "cache"),
        ("x@pages+64M", "x"),
        ("x@vmalloc+100", "x"),
        ("x@regs:{base:#x}+100", "x"),
        ("x@bar:nonsense:0", "nonsense"),
        ("x@bar:{edu}:0+4K", "has 1048576 bytes"),
        ("x@dma:{edu}+1M", "no place"),
        ("x@pages+1M,role=state", "role=state"),
        ("x@{base:#x}+4K,role=log", "role=log"),
        ("x@reserve_mem:nobody", "nobody"),
        ("nonsense", "name@base+size"),
        ("", "regions=log@0x30000000+16M"),
    ],
)
def test_refused(guest: Guest, region: str, message: str) -> None:
    base = guest.ranges[0].base
    places = {"edu": guest.edu, "base": base, "ram": base - BELOW, "half": base - MIB, "odd": base + 0x100}
    x86 = "amd64" in guest.machines
    remedies = {
        "put_aside_ram": f"memmap=1M${places['ram']:#x}" if x86 else "no-map",
        "put_aside_half": f"memmap=2M${places['half']:#x}" if x86 else "no-map",
    }
    status, said = guest.load(region.format(**places))
    assert status != 0
    assert message.format(**places, **remedies) in said
    assert "physbuf" not in guest.sh("cat /proc/modules")


def test_system_ram_is_called_so(guest: Guest) -> None:
    _, said = guest.load(f"ram@{guest.ranges[0].base - BELOW:#x}+1M")
    assert "System RAM" in said


def test_one_bad_region_leaves_the_good_ones(guest: Guest) -> None:
    room = guest.ranges[0]
    status, said = guest.load(
        room.region("log", 0, 8 * MIB),
        f"ram@{room.base - BELOW:#x}+1M",
        room.region("again", MIB, MIB),
        room.region("log", 8 * MIB, MIB),
        room.region("next", 8 * MIB, MIB),
    )
    assert status == 0
    assert "ram: " in said
    assert "again" in said and "overlaps region log" in said
    assert "log: there is a region of this name" in said
    assert guest.sh("ls /sys/class/physbuf").split() == ["log", "next"]


def test_more_regions_than_there_are_numbers(guest: Guest) -> None:
    names = [f"r{i}" for i in range(65)]
    status, said = guest.load(*(f"{name}@vmalloc+4K" for name in names))
    assert status == 0
    assert "r64: " in said
    assert sorted(guest.sh("ls /sys/class/physbuf").split()) == sorted(names[:64])


def test_memory_goes_back_when_the_module_goes(guest: Guest) -> None:
    """Loaded and unloaded over and over: the range, the names and the numbers are free each time."""
    room = guest.ranges[0]
    for _ in range(20):
        status, said = guest.load(
            room.region("log", 0, 8 * MIB), "page@pages+1M", "virtual@vmalloc+8M", "frames@dma+1M"
        )
        assert status == 0, said
    guest.unload()
    assert "physbuf" not in guest.sh("cat /proc/iomem /proc/devices")
