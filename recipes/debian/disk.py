# SPDX-License-Identifier: MIT
"""The bootable disk image: one GPT with a boot partition for the board's boot loaders, and the root partition."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import ModuleType

import pc
import uboot
from architecture import AMD64, ARM64, Architecture
from steps import run

__all__ = ["assemble", "loaders", "packages", "tools"]

FILES = Path(__file__).parent / "files"
BEGINNING_OF_FAT = 315532800  # 1980-01-01; the same parts make the same image
# The host's packages that shape every image.
PACKAGES = ("dosfstools", "genimage", "mtools", "squashfs-tools")
TOOLS = {"genimage": "genimage", "mcopy": "mtools", "mkfs.vfat": "dosfstools"}
LOADERS = {AMD64: pc, ARM64: uboot}


def loaders(architecture: Architecture) -> ModuleType:
    """The boot loaders of a family of boards: their files, tools and packages."""
    return LOADERS[architecture]


def packages(architecture: Architecture) -> list[str]:
    """The host's packages whose content goes into the image or shapes it."""
    return sorted([*PACKAGES, *loaders(architecture).PACKAGES])


def tools(architecture: Architecture) -> dict[str, str]:
    """The programs of the host that make the image, each with its package."""
    return {**TOOLS, **loaders(architecture).TOOLS}


def assemble(
    architecture: Architecture, kernel: Path, initrd: Path, rootfs: Path, configuration: dict[str, str], work: Path
) -> Path:
    """Make disk.img below ``work``; ``configuration`` is the text of the boot loaders' files."""
    parts = work / "parts"
    parts.mkdir()
    shutil.copyfile(kernel, parts / "vmlinuz")
    shutil.copyfile(initrd, parts / "initrd.gz")
    shutil.copyfile(rootfs, parts / "rootfs.squashfs")
    for name, text in configuration.items():
        (parts / name).write_text(text)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(BEGINNING_OF_FAT), "TZ": "UTC"}
    loaders(architecture).make_loaders(parts, environment)
    for part in parts.iterdir():
        os.utime(part, (BEGINNING_OF_FAT, BEGINNING_OF_FAT))
    empty = work / "empty"
    empty.mkdir()
    run(["genimage", "--config", FILES / f"genimage-{architecture.name}.cfg", "--inputpath", parts,
         "--outputpath", work / "images", "--tmppath", work / "genimage", "--rootpath", empty],
        env=environment)  # fmt: skip
    return work / "images/disk.img"
