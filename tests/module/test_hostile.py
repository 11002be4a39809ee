# SPDX-License-Identifier: MIT
"""A program that does a million random things to every kind of region but registers, and what it must not leave."""

from __future__ import annotations

import os
import re

from guest import Guest
from kernel_health import complaints, leaks

CALLS = 1_000_000
SEED = os.environ.get("PHYSBUF_SEED", "1")
KIB = 1 << 10
NAMES = ("cached", "combined", "page", "virtual", "frames", "notes")


def need_victims(guest: Guest) -> None:
    """A small region of each kind, and nothing said by the kernel yet."""
    room = guest.ranges[0]
    guest.need(
        room.region("cached", 0, 256 * KIB),
        room.region("combined", 256 * KIB, 256 * KIB, "cache=wc"),
        room.region("notes", 512 * KIB, 4 * KIB, "role=state"),
        "page@pages+256K",
        "virtual@vmalloc+256K",
        "frames@dma+1M",
        dma_file_limit=512 * KIB,
        dma_file_buffers=6,
    )
    guest.sh("dmesg -c >/dev/null")


def hostile(guest: Guest, machine: str, calls: int) -> str:
    """Run the program as somebody who is not root, while root tries to unload the module; what the program says."""
    command = f"{guest.program('hostile', machine)} {SEED} {calls} {' '.join(NAMES)}"
    unload = "while kill -0 $program; do ! rmmod physbuf || exit 9; usleep 100000; done"
    start = f"exec 3</dev/physbuf/page; su app -s /bin/sh -c '{command}' & program=$!"
    script = f"{start}; ({unload}) 2>/dev/null || exit; wait $program"
    done = guest.run(script, timeout=1800)
    assert done["status"] == 0, f"seed {SEED}: {done['stdout']}{done['stderr']}"
    assert "not ok" not in done["stdout"], done["stdout"]
    return str(done["stdout"])


def test_a_million_random_calls(guest: Guest) -> None:
    need_victims(guest)
    for machine in guest.machines:
        said = hostile(guest, machine, CALLS)
        counts = re.findall(r"^# \w+ +(\d+) done +(\d+) refused$", said, re.MULTILINE)
        assert sum(int(done) + int(refused) for done, refused in counts) == CALLS, said
        for name in NAMES:
            assert guest.attribute(name, "mappings") == "0"
        assert guest.attribute("frames", "used") == "0"
    assert not complaints(guest.sh("dmesg"))
    guest.unload()
    assert not leaks(guest.channel)
    guest.need_own()
    guest.tap("test_reserved", *first_own(guest))


def first_own(guest: Guest) -> tuple[str, str]:
    """Name and memory type of a region of the image."""
    region = next(region for region in guest.board.manifest.regions if region.kind == "reserved" and not region.role)
    return region.name, region.cache


def test_the_same_seed_makes_the_same_calls_with_the_same_results(guest: Guest) -> None:
    digests = set()
    for _ in range(2):
        guest.unload()
        need_victims(guest)
        digests |= set(re.findall(r"^# digest (\w+)$", hostile(guest, guest.machines[0], 40_000), re.MULTILINE))
    assert len(digests) == 1, digests
