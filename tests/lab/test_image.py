# SPDX-License-Identifier: MIT
"""The board runs the image that was flashed, with the regions that its manifest declares."""

from __future__ import annotations

from physbuf.reservation import memmap_argument
from physbuf_lab.strategy import PhysbufStrategy


def test_the_board_reports_the_image_that_was_flashed(board: PhysbufStrategy) -> None:
    assert board.flashed_digest == board.manifest.sha256
    assert board.reported_digest == board.manifest.sha256


def test_the_doctor_finds_nothing(board: PhysbufStrategy) -> None:
    found = board.channel.command("doctor")
    assert found["ok"], found
    assert {region["name"] for region in found["regions"]} == {region.name for region in board.manifest.regions}


def test_the_module_has_the_regions_of_the_manifest(board: PhysbufStrategy) -> None:
    regions = {region["name"]: region for region in board.channel.command("info")["regions"]}
    for declared in board.manifest.regions:
        found = regions[declared.name]
        assert (found["base"], found["size"], found["kind"]) == (declared.base, declared.size, "reserved")


def test_the_boot_kept_the_reservation_whole(board: PhysbufStrategy) -> None:
    arguments = board.channel.program("cat", "/proc/cmdline")["stdout"].split()
    for region in board.manifest.regions:
        if region.method == "memmap":
            assert memmap_argument(region) in arguments
        elif region.method == "dt":
            node = f"/proc/device-tree/reserved-memory/{region.name}@{region.base:x}"
            dump = board.channel.program("hexdump", "-v", "-e", '1/1 "%02x"', f"{node}/reg")["stdout"]
            assert dump == f"{region.base:016x}{region.size:016x}"
            assert board.channel.program("test", "-e", f"{node}/no-map")["status"] == 0
