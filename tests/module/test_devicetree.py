# SPDX-License-Identifier: MIT
"""A region that a node of the device tree names: on boards that have one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from guest import MODULE, Guest

DRIVER = "/sys/bus/platform/drivers/physbuf"
NODES = "/proc/device-tree"


@pytest.fixture
def node(guest: Guest) -> Iterator[tuple[Guest, str, str]]:
    """The guest, the device that a node of its tree became, and the region that it is."""
    if guest.run(f"test -e {NODES}")["status"]:
        pytest.skip("this board has no device tree")
    guest.need_own()
    bound = guest.sh(f"cd {DRIVER} && ls -d */physbuf/*").split()
    assert bound, "no node of the device tree is bound to the driver"
    device, _, region = bound[0].split("/")
    yield guest, device, region
    guest.run(f"echo {device} >{DRIVER}/bind")
    guest.sh("mdev -s")


def test_it_is_a_region_like_any_other(node: tuple[Guest, str, str]) -> None:
    guest, _, name = node
    declared = next(region for region in guest.board.manifest.regions if region.name == name)
    assert guest.attribute(name, "kind") == "reserved"
    assert int(guest.attribute(name, "base"), 16) == declared.base
    assert int(guest.attribute(name, "size")) == declared.size
    guest.tap("test_bytes", name, user="app")
    guest.tap("test_mapping", name, "log", user="app")


def test_it_goes_and_comes_with_its_driver(node: tuple[Guest, str, str]) -> None:
    guest, device, name = node
    guest.sh(f"physbuf fill {name} --seed 11", user="app")
    before = guest.sh(f"physbuf digest {name}", user="app")
    guest.sh(f"echo {device} >{DRIVER}/unbind")
    assert guest.run(f"test -e /sys/class/physbuf/{name}")["status"] != 0
    guest.sh(f"echo {device} >{DRIVER}/bind && mdev -s")
    assert guest.sh(f"physbuf digest {name}", user="app") == before


def test_it_stays_while_a_program_has_it(node: tuple[Guest, str, str]) -> None:
    guest, device, name = node
    guest.sh(
        f"exec 5<>/dev/physbuf/{name}; echo {device} >{DRIVER}/unbind;"
        "printf kept >&5 && dmesg -c >/dev/null;"
        f"echo {device} >{DRIVER}/bind; dmesg | grep -q 'held by somebody else'"
    )
    guest.sh(f"echo {device} >{DRIVER}/bind && mdev -s")
    assert guest.sh(f"head -c 4 /dev/physbuf/{name}") == "kept"


def test_a_second_region_over_it_is_refused(node: tuple[Guest, str, str]) -> None:
    guest, _, name = node
    declared = next(region for region in guest.board.manifest.regions if region.name == name)
    guest.booted()  # the module is loaded by hand here, with the tree's regions
    guest.sh("rmmod physbuf && dmesg -c >/dev/null")
    guest.sh(f"insmod {MODULE} regions=second@{declared.base:#x}+4K")
    said = guest.sh("dmesg | grep physbuf")
    assert "second" in said and f"overlaps region {name}" in said
