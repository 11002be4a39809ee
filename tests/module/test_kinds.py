# SPDX-License-Identifier: MIT
"""Every kind of region and every memory type: bytes, mappings, notification, as a user who is not root."""

from __future__ import annotations

import pytest
from guest import Guest

MIB = 1 << 20
CACHES = ("wb", "wc", "uc", "device")
# What x86's page attribute table has of each type.
PAT = {"wb": "write-back", "wc": "write-combining", "uc": "uncached", "device": "uncached"}
# Reserved memory of each type, and what the kernel itself has.
NAMES = (*CACHES, "page", "virtual")
WITH_BYTES = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def kinds(guest: Guest) -> Guest:
    """A guest with a region of each kind and type that has bytes."""
    room = guest.ranges[0]
    reserved = [room.region(cache, i * MIB, MIB, f"cache={cache}") for i, cache in enumerate(CACHES)]
    guest.need(*reserved, room.region("other", 8 * MIB, 65536), "page@pages+1M", "virtual@vmalloc+2M")
    return guest


@WITH_BYTES
def test_read_write_lseek(kinds: Guest, name: str) -> None:
    kinds.tap("test_bytes", name, user="app")


@WITH_BYTES
def test_mappings(kinds: Guest, name: str) -> None:
    kinds.tap("test_mapping", name, "other", user="app")


@pytest.mark.parametrize("name", ["wb", "page", "virtual"])
def test_mappings_of_root_are_bound_by_the_same(kinds: Guest, name: str) -> None:
    kinds.tap("test_mapping", name, "other")


@WITH_BYTES
def test_poll_and_ring(kinds: Guest, name: str) -> None:
    kinds.tap("test_notify", name, user="app")


@pytest.mark.parametrize("cache", CACHES)
def test_a_reserved_region_of_each_type(kinds: Guest, cache: str) -> None:
    kinds.tap("test_reserved", cache, cache, user="app")


@pytest.mark.parametrize("cache", CACHES)
def test_clean(kinds: Guest, cache: str) -> None:
    kinds.tap("test_clean", cache, "arch_wb_cache_pmem" if cache == "wb" else "not needed", user="app")


@pytest.mark.parametrize(("name", "kind"), [("page", "pages"), ("virtual", "vmalloc")])
def test_pages_of_the_kernel(guest: Guest, name: str, kind: str) -> None:
    for machine in guest.machines:
        guest.load("page@pages+1M", "virtual@vmalloc+2M")  # nobody has written to these yet
        done = guest.run(f"{guest.program('test_pages', machine)} {name} {kind}")
        assert done["status"] == 0, done["stdout"]


@pytest.mark.parametrize("cache", CACHES)
def test_the_processor_has_one_type_for_it(kinds: Guest, cache: str) -> None:
    """x86 keeps a list; elsewhere sysfs has to do."""
    assert kinds.attribute(cache, "cache") == cache
    if "amd64" in kinds.machines:
        debug = "/sys/kernel/debug"
        kinds.sh(f"test -e {debug}/x86 || mount -t debugfs debugfs {debug}")
        base = int(kinds.attribute(cache, "base"), 16)
        lines = [
            line
            for line in kinds.sh(f"cat {debug}/x86/pat_memtype_list").splitlines()
            if f"[mem 0x{base:016x}-" in line
        ]
        assert lines, f"no type is booked for {base:#x}"
        assert all(PAT[cache] in line for line in lines), lines


def test_only_root_learns_where_pages_of_the_kernel_are(kinds: Guest) -> None:
    assert kinds.run("cat /sys/class/physbuf/page/base", user="app")["status"] != 0
    assert int(kinds.attribute("page", "base"), 16)
    assert kinds.run("cat /sys/class/physbuf/wb/base", user="app")["status"] == 0


def test_a_second_type_for_the_same_memory_is_refused(guest: Guest) -> None:
    room = guest.ranges[0]
    status, said = guest.load(room.region("cached", 0, MIB), room.region("combined", 65536, MIB, "cache=wc"))
    assert status == 0
    assert "combined" in said and "overlaps region cached" in said
    assert guest.sh("ls /sys/class/physbuf").split() == ["cached"]
