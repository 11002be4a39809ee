# SPDX-License-Identifier: MIT
"""What user space sees of the image's own regions: as root, as a member of group physbuf, as a stranger."""

from __future__ import annotations

import pytest
from guest import Guest


@pytest.mark.parametrize("user", ["root", "app"])
def test_the_device_and_what_it_says(guest: Guest, user: str) -> None:
    guest.need_own()
    for region in guest.board.manifest.regions:
        if region.kind == "reserved" and not region.role:
            guest.tap("test_reserved", region.name, region.cache, user=user)


@pytest.mark.parametrize("user", ["root", "app"])
def test_read_write_lseek(guest: Guest, user: str) -> None:
    guest.need_own()
    for region in guest.board.manifest.regions:
        if region.kind == "reserved" and not region.role:
            guest.tap("test_bytes", region.name, user=user)


def test_a_stranger_is_kept_out(guest: Guest) -> None:
    guest.need_own()
    name = guest.board.manifest.regions[0].name
    done = guest.run(f"cat /dev/physbuf/{name}", user="nobody")
    assert done["status"] != 0
    assert "Permission denied" in done["stderr"]


def test_the_range_is_claimed(guest: Guest) -> None:
    """Nobody else can take it: /proc/iomem names the holder."""
    guest.need_own()
    for region in guest.board.manifest.regions:
        if region.kind == "reserved" and region.method != "reserve_mem":
            line = f"{region.base:08x}-{region.base + region.size - 1:08x} : physbuf {region.name}"
            assert line in guest.sh("cat /proc/iomem")
