# SPDX-License-Identifier: MIT
"""A board with U-Boot finds a script on the boot partition: it edits the device tree and boots the kernel."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from steps import run

from physbuf.errors import PhysbufError
from physbuf.regions import RegionSpec
from physbuf.reservation import boot_arguments, for_sink, uboot_script

__all__ = ["PACKAGES", "TOOLS", "configuration", "kernel_arguments", "make_loaders"]

SCRIPT = Path(__file__).parent / "files/boot/boot.cmd"
PACKAGES = ("u-boot-tools",)
TOOLS = {"mkimage": "u-boot-tools"}


def kernel_arguments(arguments: str, regions: list[RegionSpec]) -> str:
    """The kernel's command line as it must see it; what the device tree reserves is not in there."""
    for region in regions:
        if region.method == "memmap":
            raise PhysbufError(f"region {str(region)!r}: only a PC's kernel knows memmap=; add ,method=dt")
    others = boot_arguments(region for region in regions if region.method != "dt")
    return " ".join(filter(None, [arguments, others]))


def configuration(arguments: str, regions: list[RegionSpec], by_parameter: Collection[str] = ()) -> dict[str, str]:
    """The script: it reserves in the device tree and hands the kernel its arguments."""
    script = SCRIPT.read_text().replace("{arguments}", for_sink("uboot", kernel_arguments(arguments, regions)))
    return {"boot.cmd": script.replace("{reservation}", uboot_script(regions, by_parameter))}


def make_loaders(parts: Path, environment: dict[str, str]) -> None:
    """The script in U-Boot's wrapping; U-Boot itself belongs to the board."""
    run(["mkimage", "-A", "arm64", "-T", "script", "-n", "physbuf", "-d", parts / "boot.cmd", parts / "boot.scr"],
        env=environment)  # fmt: skip
