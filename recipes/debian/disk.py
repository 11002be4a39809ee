# SPDX-License-Identifier: MIT
"""The bootable disk image: one GPT that starts by SeaBIOS and SYSLINUX as well as by UEFI and GRUB."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from steps import run

from physbuf.reservation import for_sink

__all__ = ["PACKAGES", "TOOLS", "assemble"]

FILES = Path(__file__).parent / "files"
SYSLINUX = Path("/usr/lib/syslinux")
BEGINNING_OF_FAT = 315532800  # 1980-01-01; the same parts make the same image
GRUB_MODULES = (
    "part_gpt", "fat", "search", "search_fs_file", "normal", "linux", "configfile", "echo", "serial", "boot", "test",
)  # fmt: skip
# The host's packages whose content goes into the image or shapes it.
PACKAGES = ("dosfstools", "genimage", "grub-common", "grub-efi-amd64-bin", "mtools", "squashfs-tools", "syslinux",
            "syslinux-common")  # fmt: skip
TOOLS = {
    "genimage": "genimage",
    "grub-mkimage": "grub-common",
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "syslinux": "syslinux",
}


def assemble(kernel: Path, initrd: Path, rootfs: Path, arguments: str, work: Path) -> Path:
    """Make disk.img below ``work``; ``arguments`` is the kernel command line as the kernel must see it."""
    parts = work / "parts"
    parts.mkdir()
    shutil.copyfile(kernel, parts / "vmlinuz")
    shutil.copyfile(initrd, parts / "initrd.gz")
    shutil.copyfile(rootfs, parts / "rootfs.squashfs")
    shutil.copyfile(SYSLINUX / "mbr/gptmbr.bin", parts / "gptmbr.bin")
    shutil.copyfile(SYSLINUX / "modules/bios/ldlinux.c32", parts / "ldlinux.c32")
    for loader in ("syslinux", "grub"):
        template = (FILES / f"boot/{loader}.cfg").read_text()
        (parts / f"{loader}.cfg").write_text(template.replace("{arguments}", for_sink(loader, arguments)))
    run(["grub-mkimage", "-O", "x86_64-efi", "-p", "/", "-c", FILES / "boot/grub-early.cfg",
         "-o", parts / "BOOTX64.EFI", *GRUB_MODULES])  # fmt: skip
    for part in parts.iterdir():
        os.utime(part, (BEGINNING_OF_FAT, BEGINNING_OF_FAT))
    empty = work / "empty"
    empty.mkdir()
    run(["genimage", "--config", FILES / "genimage.cfg", "--inputpath", parts, "--outputpath", work / "images",
         "--tmppath", work / "genimage", "--rootpath", empty],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(BEGINNING_OF_FAT), "TZ": "UTC"})  # fmt: skip
    return work / "images/disk.img"
