# SPDX-License-Identifier: MIT
"""Registers of a device, for root only, and never together with the device's driver."""

from __future__ import annotations

import pytest
from guest import Guest


@pytest.fixture
def bar(guest: Guest) -> str:
    """The declaration of a region over the edu device's registers."""
    return f"edu@bar:{guest.edu}:0"


def address(guest: Guest) -> str:
    """Where the edu device's registers lie."""
    return guest.sh(f"head -n 1 /sys/bus/pci/devices/{guest.edu}/resource").split()[0]


def test_by_bar(guest: Guest, bar: str) -> None:
    guest.need(bar)
    guest.tap("test_regs", "edu")


def test_by_address(guest: Guest) -> None:
    guest.need(f"edu@regs:{address(guest)}+1M")
    guest.tap("test_regs", "edu")


def test_poll_and_ring(guest: Guest, bar: str) -> None:
    guest.need(bar)
    guest.tap("test_notify", "edu")


def test_not_for_others_than_root(guest: Guest, bar: str) -> None:
    guest.need(bar)
    guest.tap("test_regs", "edu", user="app")


def test_a_second_region_over_it_is_refused(guest: Guest, bar: str) -> None:
    status, said = guest.load(bar, f"again@regs:{address(guest)}+4K")
    assert status == 0
    assert "again" in said and "overlaps region edu" in said
    assert guest.sh("ls /sys/class/physbuf").split() == ["edu"]


def test_ram_is_refused(guest: Guest) -> None:
    """Neither what the kernel has nor what was put aside for regions."""
    lines = guest.sh("cat /proc/iomem").splitlines()
    system_ram = [line for line in lines if line.endswith(": System RAM") and not line.startswith(" ")][-1]
    kernels = int(system_ram.split("-")[0], 16)
    for base in (guest.ranges[0].base, kernels):
        status, said = guest.load(f"ram@regs:{base:#x}+4K")
        assert status != 0
        assert "ram: " in said and "RAM" in said


def test_what_is_not_there_is_refused(guest: Guest) -> None:
    for place in ("bar:0000:1f:1f.7:0", f"bar:{guest.edu}:1", f"bar:{guest.edu}:6"):
        status, said = guest.load(f"gone@{place}")
        assert status != 0
        assert "gone: " in said


def test_what_a_driver_holds_is_refused(guest: Guest) -> None:
    """The sample driver needs the module, so that it is never first; the storage's driver always is."""
    held = [line for line in guest.sh("cat /proc/iomem").splitlines() if line.strip().endswith(": virtio-pci-modern")]
    start, end = (int(word, 16) for word in held[0].split(":")[0].split("-"))
    status, said = guest.load(f"storage@regs:{start:#x}+{end + 1 - start}")
    assert status != 0
    assert "storage: " in said and "held by somebody else" in said


def test_the_region_has_it_then_the_driver_is_refused(guest: Guest, bar: str) -> None:
    guest.need(bar, "frames@dma+1M")
    guest.load_sample()
    try:
        assert guest.run("test -e /dev/physbuf_edu")["status"] != 0
        guest.tap("test_regs", "edu")
    finally:
        guest.unload_sample()
