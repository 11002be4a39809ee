# SPDX-License-Identifier: MIT
"""Buffers for devices: their life and limits, and a real device that reads and writes them."""

from __future__ import annotations

from guest import Guest

LIMITS = {"dma_limit": 8 << 20, "dma_file_limit": 4 << 20, "dma_file_buffers": 16}


def test_buffers_as_app(guest: Guest) -> None:
    guest.need("frames@dma+6M", "more@dma+6M", **LIMITS)
    guest.tap("test_dma", "frames", "more", user="app")


def test_buffers_as_root(guest: Guest) -> None:
    guest.need("frames@dma+6M", "more@dma+6M", **LIMITS)
    guest.tap("test_dma", "frames", "more")


def test_poll_and_ring(guest: Guest) -> None:
    guest.need("frames@dma+6M", "more@dma+6M", **LIMITS)
    guest.tap("test_notify", "frames", user="app")


def test_limits_can_be_changed(guest: Guest) -> None:
    """What sysfs says is what counts, for the next buffer; test_dma's limits do not hold any more."""
    guest.load("frames@dma+6M", "more@dma+6M", **LIMITS)
    for limit, value in LIMITS.items():
        path = f"/sys/module/physbuf/parameters/{limit}"
        assert int(guest.sh(f"cat {path}")) == value
        guest.sh(f"echo {value // 2} >{path}")
        done = guest.run(f"{guest.program('test_dma', guest.machines[0])} frames more", user="app")
        assert done["status"] == 1, f"{limit} has no effect"
        guest.sh(f"echo {value} >{path}")
    guest.tap("test_dma", "frames", "more", user="app")


def test_a_device_does_dma(guest: Guest) -> None:
    guest.need("frames@dma+6M")
    guest.load_sample()
    try:
        guest.tap("test_edu", "frames")
    finally:
        guest.unload_sample()


def test_the_sample_can_go_while_it_is_open(guest: Guest) -> None:
    """Unbound from its device, it refuses what programs that still have it open ask for."""
    guest.need("frames@dma+6M")
    guest.load_sample()
    unbind = f"echo {guest.edu} >/sys/bus/pci/drivers/physbuf_edu/unbind"
    try:
        guest.sh(f"exec 3</dev/physbuf_edu && {unbind} && test ! -e /dev/physbuf_edu")
    finally:
        guest.unload_sample()
    assert "physbuf_edu" not in guest.sh("cat /proc/modules")
