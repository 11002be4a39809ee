# SPDX-License-Identifier: MIT
"""A PC starts the image by SeaBIOS and SYSLINUX as well as by UEFI and GRUB."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from steps import run

from physbuf.regions import RegionSpec
from physbuf.reservation import boot_arguments, for_sink

__all__ = ["PACKAGES", "TOOLS", "configuration", "kernel_arguments", "make_loaders"]

FILES = Path(__file__).parent / "files/boot"
SYSLINUX = Path("/usr/lib/syslinux")
GRUB_MODULES = (
    "part_gpt", "fat", "search", "search_fs_file", "normal", "linux", "configfile", "echo", "serial", "boot", "test",
)  # fmt: skip
# The host's packages whose content goes into the image.
PACKAGES = ("grub-common", "grub-efi-amd64-bin", "syslinux", "syslinux-common")
TOOLS = {"grub-mkimage": "grub-common", "syslinux": "syslinux"}


def kernel_arguments(arguments: str, regions: list[RegionSpec]) -> str:
    """The kernel's command line as it must see it: a PC has no other way to reserve."""
    return " ".join(filter(None, [arguments, boot_arguments(regions)]))


def configuration(arguments: str, regions: list[RegionSpec], _: Collection[str] = ()) -> dict[str, str]:
    """The boot loaders' files."""
    arguments = kernel_arguments(arguments, regions)
    return {
        f"{loader}.cfg": (FILES / f"{loader}.cfg").read_text().replace("{arguments}", for_sink(loader, arguments))
        for loader in ("syslinux", "grub")
    }


def make_loaders(parts: Path, environment: dict[str, str]) -> None:
    """The boot loaders themselves, beside their configuration."""
    shutil.copyfile(SYSLINUX / "mbr/gptmbr.bin", parts / "gptmbr.bin")
    shutil.copyfile(SYSLINUX / "modules/bios/ldlinux.c32", parts / "ldlinux.c32")
    run(["grub-mkimage", "-O", "x86_64-efi", "-p", "/", "-c", FILES / "grub-early.cfg",
         "-o", parts / "BOOTX64.EFI", *GRUB_MODULES], env=environment)  # fmt: skip
