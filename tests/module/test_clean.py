# SPDX-License-Identifier: MIT
"""That lines are cleaned: the emulated processor has no cache to lose, so the kernel's own cleaner is watched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from guest import Guest

TRACE = "/sys/kernel/tracing"
# The second argument of arch_wb_cache_pmem(), the size, by the processor's calling convention.
SIZE = {"amd64": "%si", "arm64": "%x1"}
MIB = 1 << 20
CLEAN = "0x4010be01"  # PHYSBUF_IOC_CLEAN


class Watch:
    """The bytes that the kernel cleaned since the last look."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    def python(self, statement: str) -> None:
        """Run a statement in the guest, as somebody who is not root."""
        self.guest.sh(f'python3 -c "import fcntl, os, struct; {statement}"', user="app")

    def bytes(self) -> int:
        """How many, and forget them."""
        lines = self.guest.sh(f"cat {TRACE}/trace && echo >{TRACE}/trace")
        return sum(int(size) for size in re.findall(r"physbuf_clean: .* size=(\d+)", lines))


@pytest.fixture
def watch(guest: Guest) -> Iterator[Watch]:
    """A probe on the kernel's cleaner; the guest has a cached and an uncached region."""
    room = guest.ranges[0]
    guest.need(room.region("cached", 0, MIB), room.region("combined", MIB, MIB, "cache=wc"))
    guest.sh(f"test -e {TRACE}/trace || mount -t tracefs tracefs {TRACE}")
    probe = f"p:physbuf_clean arch_wb_cache_pmem size={SIZE[guest.machines[0]]}:u64"
    guest.sh(f"echo '{probe}' >{TRACE}/kprobe_events && echo 1 >{TRACE}/events/kprobes/physbuf_clean/enable")
    guest.sh(f"echo >{TRACE}/trace")
    yield Watch(guest)
    guest.sh(f"echo 0 >{TRACE}/events/kprobes/physbuf_clean/enable && echo >{TRACE}/kprobe_events")


@pytest.mark.parametrize("flag", ["O_SYNC", "O_DSYNC"])
def test_a_synchronous_write_is_cleaned(watch: Watch, flag: str) -> None:
    watch.python(f"os.pwrite(os.open('/dev/physbuf/cached', os.O_RDWR | os.{flag}), bytes(5000), 100)")
    assert watch.bytes() == 5000


def test_fsync_cleans_the_region(watch: Watch) -> None:
    watch.python("os.fsync(os.open('/dev/physbuf/cached', os.O_RDWR))")
    assert watch.bytes() == MIB


def test_the_ioctl_cleans_the_range(watch: Watch) -> None:
    watch.python(f"fcntl.ioctl(os.open('/dev/physbuf/cached', os.O_RDWR), {CLEAN}, struct.pack('QQ', 13, 4711))")
    assert watch.bytes() == 4711


def test_an_ordinary_write_is_not(watch: Watch) -> None:
    watch.guest.sh("head -c 5000 /dev/zero >/dev/physbuf/cached")
    assert watch.bytes() == 0


def test_uncached_memory_needs_none(watch: Watch) -> None:
    watch.python("os.fsync(os.open('/dev/physbuf/combined', os.O_RDWR))")
    assert watch.bytes() == 0
