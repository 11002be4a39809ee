# SPDX-License-Identifier: MIT
"""Regions that the module must refuse, each with a message that names the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

PAST_RAM = "gone@0x8000000000+1M"


@pytest.fixture
def reloaded(board: Any) -> Iterator[Any]:
    """A guest without the module; it is loaded again with the image's own regions afterwards."""
    channel = board.channel
    assert channel.program("modprobe", "-r", "physbuf")["status"] == 0
    yield channel
    channel.program("modprobe", "-r", "physbuf")
    assert channel.program("modprobe", "physbuf")["status"] == 0
    assert channel.program("mdev", "-s")["status"] == 0


def load(guest: Any, regions: str) -> tuple[int, str]:
    """Load the module; returns insmod's status and what the kernel said."""
    guest.program("dmesg", "-c")
    command = f"insmod /lib/modules/$(uname -r)/updates/physbuf.ko {regions and f'regions={regions!r}'}"
    status = guest.program("sh", "-c", command)["status"]
    said = guest.program("sh", "-c", "dmesg | grep physbuf:")["stdout"]
    return status, said


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ("ram@0x20000000+1M", "memmap=1M$0x20000000"),
        ("half@0x2ff00000+2M", "memmap=2M$0x2ff00000"),
        (PAST_RAM, "gone"),
        ("odd@0x30000100+1M", "0x30000100"),
        ("none@0x30000000+0", "none"),
        ("wrap@0xfffffffffffff000+1M", "wrap"),
        ("UPPER@0x30000000+1M", "UPPER"),
        ("x@0x30000000+1M,cache=uc", "uc"),
        ("nonsense", "name@base+size"),
        ("", "regions=log@0x30000000+16M"),
    ],
)
def test_refused(reloaded: Any, regions: str, message: str) -> None:
    status, said = load(reloaded, regions)
    assert status != 0
    assert message in said
    assert "physbuf" not in reloaded.program("lsmod")["stdout"]


def test_system_ram_is_called_so(reloaded: Any) -> None:
    _, said = load(reloaded, "ram@0x20000000+1M")
    assert "System RAM" in said


def test_one_bad_region_leaves_the_good_ones(reloaded: Any) -> None:
    status, said = load(reloaded, "log@0x30000000+16M;ram@0x20000000+1M;again@0x30800000+1M")
    assert status == 0
    assert "memmap=1M$0x20000000" in said
    assert "again" in said and "overlap" in said
    assert reloaded.program("ls", "/sys/class/physbuf")["stdout"].split() == ["log"]
