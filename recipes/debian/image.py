# SPDX-License-Identifier: MIT
"""What an image is made from, and the steps that make it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import compiling
import disk
import kernel
import rootfs
from boards import Board
from compiling import SAMPLE
from kernel import Kernel
from packages import Archive, Deb, installed
from sources import source_files
from steps import step
from toolchain import Toolchain

from physbuf.regions import RegionSpec
from physbuf.reservation import module_parameter

__all__ = ["PRODUCTS", "TOOLS", "Job", "digest_of", "inputs_key", "make"]

TOP = Path(__file__).resolve().parents[2]
SOURCES = [TOP / name for name in ("log", "module", "libphysbuf", "python-tools")]
PRODUCTS = {"disk.img", "manifest.json", SAMPLE}
TOOLS = {
    "apt-get": "apt",
    "cpio": "cpio",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "mksquashfs": "squashfs-tools",
    "mount": "mount",
    "unshare": "util-linux",
}


@dataclass(frozen=True)
class Job:
    """The image that is wanted.

    Without ``reservation`` the boot loader does not reserve the regions. ``kernel_tree`` brings a kernel in place of
    the suite's, with its modules. ``work`` is the cache.
    """

    board: Board
    regions: list[RegionSpec]
    work: Path
    reservation: bool = True
    kernel_tree: Path | None = None

    @property
    def reserved(self) -> list[RegionSpec]:
        """The regions that the boot loader is told of."""
        return self.regions if self.reservation else []

    @property
    def module_parameter(self) -> str:
        """What the module is told of the regions; of the others it learns from the device tree."""
        return module_parameter(self.regions, self.board.by_parameter)

    def check(self) -> None:
        """PhysbufError when the boot loader cannot be told of the regions."""
        loaders = disk.loaders(self.board.architecture)
        loaders.configuration(self.board.arguments, self.regions, self.board.by_parameter)

    def tools(self) -> dict[str, str]:
        """The programs of the host that it takes, each with its package."""
        return {**TOOLS, **disk.tools(self.board.architecture)}


def inputs_key(job: Job) -> str:
    """A digest of all that the image is made from, but Debian's packages for it."""
    digest = hashlib.sha256()
    chosen = [repr(job.board), str(job.reservation), *map(str, job.regions)]
    chosen += [f"{name}={version}" for name, version in installed(disk.packages(job.board.architecture)).items()]
    digest.update("\0".join(chosen).encode())
    for folder in (*SOURCES, Path(__file__).parent):
        for path in source_files(folder):
            digest.update(f"{path.relative_to(TOP)}\0{path.stat().st_mode & 0o111}\0{digest_of(path)}".encode())
    if job.kernel_tree:
        given = kernel.of_tree(job.kernel_tree)
        for file in (given.image, given.module("physbuf"), given.module(Path(SAMPLE).stem)):
            digest.update(f"{file and file.name}\0{file and digest_of(file)}\0".encode())
    return digest.hexdigest()


def make(job: Job, key: str, temporary: Path) -> Path:
    """All the steps; returns a folder with the PRODUCTS."""
    architecture = job.board.architecture
    native, target = _archives(job)
    for_kernel = "-without-kernel" if job.kernel_tree else ""
    toolchain = Toolchain(job.work / f"toolchain-{job.board.suite}-{architecture.name}{for_kernel}")
    with step("fetching the package lists"):
        for archive in {native.arch: native, target.arch: target}.values():
            archive.update()
    with step("fetching the kernel and the board's packages"):
        if job.kernel_tree:
            linux = kernel.of_tree(job.kernel_tree)
        else:
            linux = kernel.of_suite(target, architecture, temporary / "kernel")
        debs = target.closure(rootfs.PACKAGES)
    with step("fetching and unpacking the toolchain"):
        compiling.unpack_toolchain(toolchain, native, target, architecture, linux)
    with step(f"unpacking the kernel, Linux {linux.release}"):
        linux.unpack()
    toolchain.copy_in(*SOURCES)
    tree = toolchain.work / "root"
    with step("unpacking the board's packages"):
        rootfs.unpack_base(debs, tree, toolchain.run("busybox", "--list-full").split())
    with step("compiling the module, the library and the tools"):
        sample = compiling.install_modules(toolchain, architecture, linux, tree)
        compiling.install_tools(toolchain, architecture, "/build/root")
    with step("compiling Python's byte code"):
        folders = [f"/build/root/{path.relative_to(tree)}" for path in sorted(tree.glob("usr/lib/python3*"))]
        toolchain.run("python3", "-m", "compileall", "-q", "-j2", "--invalidation-mode", "unchecked-hash",
                      "-s", "/build/root", "-p", "/", *folders)  # fmt: skip
    manifest = _manifest(job, key, linux, debs)
    with step("making the root file system"):
        rootfs.install_device_rules(tree, TOP / "module")
        rootfs.install_kernel_modules(tree, linux.release)
        rootfs.install_regions(tree, manifest, job.module_parameter)
        rootfs.make_squashfs(tree, temporary / "rootfs.squashfs")
    with step("making the initial RAM disk"):
        drivers = rootfs.drivers(linux.modules) if linux.headers else []
        rootfs.make_initrd(drivers, tree / "usr/bin/busybox", temporary / "initrd", temporary / "initrd.gz")
    loaders = disk.loaders(architecture)
    with step("assembling the disk image"):
        image = disk.assemble(
            architecture,
            linux.image,
            temporary / "initrd.gz",
            temporary / "rootfs.squashfs",
            loaders.configuration(job.board.arguments, job.reserved, job.board.by_parameter),
            temporary,
        )
    finished = temporary / "finished"
    finished.mkdir()
    image.rename(finished / "disk.img")
    if sample:
        shutil.copyfile(sample, finished / SAMPLE)
    manifest["image"] = {
        "file": "disk.img",
        "size": (finished / "disk.img").stat().st_size,
        "sha256": digest_of(finished / "disk.img"),
        "boot_arguments": loaders.kernel_arguments(job.board.arguments, job.reserved),
        "beside": {SAMPLE: digest_of(finished / SAMPLE)} if sample else {},
    }
    (finished / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return finished


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _archives(job: Job) -> tuple[Archive, Archive]:
    """The suite as it is for this host, and as it is for the board."""
    suite = job.board.suite
    native = Archive(job.work / suite, suite)
    architecture = job.board.architecture
    if not architecture.is_foreign:
        return native, native
    return native, Archive(job.work / f"{suite}-{architecture.name}", suite, architecture.name)


def _manifest(job: Job, key: str, linux: Kernel, debs: list[Deb]) -> dict[str, object]:
    return {
        "schema": "physbuf-manifest-1",
        "physbuf": _version(),
        "inputs": key,
        "build": f"debian-{job.board.suite}",
        "architecture": job.board.architecture.name,
        "kernel": linux.release,
        "regions": [region.as_dict() for region in job.regions],
        "module_parameter": job.module_parameter,
        "packages": {deb.name: deb.version for deb in sorted([*linux.debs, *debs], key=lambda deb: deb.name)},
        "build_packages": installed(disk.packages(job.board.architecture)),
    }


def _version() -> str:
    project = tomllib.loads((TOP / "python-tools/pyproject.toml").read_text())["project"]
    return str(project["version"])
