# SPDX-License-Identifier: MIT
"""The board's root file system and initial RAM disk, from packages and our own parts."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from packages import Deb, unpack
from steps import BuildError, run

__all__ = [
    "PACKAGES",
    "drivers",
    "install_device_rules",
    "install_kernel_modules",
    "install_regions",
    "make_initrd",
    "make_squashfs",
    "unpack_base",
]

FILES = Path(__file__).parent / "files"
PACKAGES = ("busybox-static", "python3-minimal", "python3-cffi-backend")
LEAVE_OUT = (
    "usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "usr/share/info/*", "usr/share/perl5/*",
    "usr/share/zoneinfo/*", "usr/share/lintian/*", "usr/share/bug/*", "usr/share/debconf/*",
    "usr/lib/python3*/test/*", "usr/lib/python3*/ensurepip/*", "usr/lib/python3*/pydoc_data/*",
    "usr/lib/python3*/__pycache__/*",
)  # fmt: skip
INITRD_MODULES = ("virtio_pci", "virtio_blk", "squashfs")
INITRD_MODULES_IF_THERE = ("ahci", "sd_mod", "nvme")  # not every kernel for virtual machines has other disks


def unpack_base(debs: Iterable[Deb], tree: Path, applets: Iterable[str]) -> None:
    """Packages, busybox's commands and our files; no package's maintainer script runs."""
    unpack(debs, tree, LEAVE_OUT)
    shutil.copytree(FILES / "rootfs", tree, dirs_exist_ok=True)
    for applet in applets:
        link = tree / "usr" / applet.removeprefix("usr/")
        if not link.exists() and not link.is_symlink():
            link.symlink_to("/usr/bin/busybox")
    (tree / "usr/sbin/init").unlink(missing_ok=True)
    (tree / "usr/sbin/init").symlink_to("/usr/bin/busybox")
    for folder in ("dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "var"):
        (tree / folder).mkdir(exist_ok=True)


def install_device_rules(tree: Path, module: Path) -> None:
    """Who may open the devices: busybox's mdev here, udev for those who add it."""
    with (tree / "etc/mdev.conf").open("a") as lines:
        lines.write((module / "mdev.conf").read_text())
    rules = tree / "usr/lib/udev/rules.d"
    rules.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(module / "60-physbuf.rules", rules / "60-physbuf.rules")


def install_kernel_modules(tree: Path, release: str) -> None:
    """The module index, so that modprobe finds what lies below /usr/lib/modules/RELEASE."""
    run(["depmod", "-b", tree / "usr", release])


def install_regions(tree: Path, manifest: dict[str, object], module_parameter: str) -> None:
    """What the board knows about its regions: the manifest and the module's options, if there are any."""
    etc = tree / "etc"
    (etc / "physbuf").mkdir(exist_ok=True)
    (etc / "physbuf/manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    if not module_parameter:
        return
    (etc / "modprobe.d").mkdir(exist_ok=True)
    (etc / "modprobe.d/physbuf.conf").write_text(f"options physbuf regions={module_parameter}\n")


def make_squashfs(tree: Path, image: Path) -> None:
    """A read-only root file system that belongs to root, whoever builds it."""
    run(["mksquashfs", tree, image, "-all-root", "-comp", "zstd", "-Xcompression-level", "9", "-b", "256K",
         "-noappend", "-no-progress", "-quiet", "-mkfs-time", "0", "-all-time", "0"])  # fmt: skip


def make_initrd(drivers: list[Path], busybox: Path, work: Path, image: Path) -> None:
    """A small initial RAM disk that loads ``drivers`` and finds the root partition."""
    for folder in ("bin", "dev", "modules", "proc", "root", "sys"):
        (work / folder).mkdir(parents=True)
    shutil.copy2(busybox, work / "bin/busybox")
    shutil.copy2(FILES / "initrd/init", work / "init")
    for path in drivers:
        content = path.read_bytes()
        if path.suffix == ".xz":
            content = lzma.decompress(content)
        (work / "modules" / _module_file(path)).write_bytes(content)
    (work / "modules/order").write_text("".join(f"{_module_name(path)}\n" for path in drivers))
    names = sorted(str(entry.relative_to(work)) for entry in work.rglob("*"))
    for name in reversed(names):
        os.utime(work / name, (0, 0))  # the same parts make the same image
    listing = work.parent / "initrd.list"
    listing.write_text("".join(f"{name}\n" for name in names))
    archive = work.parent / "initrd.cpio"
    with listing.open() as lines:
        run(
            ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", "--reproducible", "-D", work, "-F", archive],
            stdin=lines,
        )
    image.write_bytes(gzip.compress(archive.read_bytes(), compresslevel=6, mtime=0))


def drivers(modules: Path) -> list[Path]:
    """The files of the initial RAM disk's modules, each behind what it needs; built-in ones need no file."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    by_name = {_module_name(Path(path)): path for path in needs}
    built_in = {_module_name(Path(line)) for line in (modules / "modules.builtin").read_text().split()}
    order: list[str] = []
    for name in (*INITRD_MODULES, *INITRD_MODULES_IF_THERE):
        if name in built_in or (name in INITRD_MODULES_IF_THERE and name not in by_name):
            continue
        if name not in by_name:
            raise BuildError(f"the kernel {modules.name} has no module {name}")
        for path in [*reversed(needs[by_name[name]]), by_name[name]]:
            if path not in order:
                order.append(path)
    return [modules / path for path in order]


def _module_file(path: Path) -> str:
    return path.name.removesuffix(".xz")


def _module_name(path: Path) -> str:
    return _module_file(path).removesuffix(".ko").replace("-", "_")
