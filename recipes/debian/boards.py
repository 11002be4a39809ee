# SPDX-License-Identifier: MIT
"""The boards that an image can be built for, and what each wants: the one place that says so."""

from __future__ import annotations

from dataclasses import dataclass

from architecture import AMD64, ARM64, Architecture

__all__ = ["BOARDS", "SAME_IMAGE", "Board"]


@dataclass(frozen=True)
class Board:
    """A board's Debian suite, which brings its kernel, and its defaults.

    ``arguments`` are the kernel's boot arguments but for the reservation. Of the regions that a device tree reserves
    the module learns by a node of their own; of those ``by_parameter`` by its parameter.
    """

    suite: str = "trixie"
    architecture: Architecture = AMD64
    regions: str = "log@0x30000000+16M legacy@0x31000000+1536K boots@0x31180000+4K,role=state"
    arguments: str = "console=ttyS0,115200 panic=1"
    by_parameter: frozenset[str] = frozenset()


BOARDS = {
    "qemu-x86_64": Board(),
    "qemu-x86_64-6.1": Board(suite="bookworm"),
    "qemu-x86_64-newest": Board(suite="sid"),
    "qemu-arm64": Board(
        architecture=ARM64,
        regions="log@0x70000000+16M,method=dt legacy@0x71000000+1536K,method=dt "
        "boots@0x71180000+4K,role=state,method=dt",
        arguments="console=ttyAMA0,115200 panic=1",
        by_parameter=frozenset({"log", "boots"}),
    ),
}

# These start another board's image, in a way of their own.
SAME_IMAGE = {"qemu-x86_64-uefi": "qemu-x86_64"}
