# SPDX-License-Identifier: MIT
"""The board's kernel: Debian's package of the board's suite, or a tree that somebody built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from architecture import Architecture
from packages import Archive, Deb, unpack
from steps import BuildError, run

__all__ = ["Kernel", "of_suite", "of_tree"]


@dataclass(frozen=True)
class Kernel:
    """``tree`` holds boot/vmlinuz-RELEASE and usr/lib/modules/RELEASE.

    ``headers`` names the package to build our modules with; it is empty when the tree has them already, with all the
    drivers of the board built in.
    """

    release: str
    tree: Path
    headers: str = ""
    debs: Sequence[Deb] = ()

    @property
    def image(self) -> Path:
        """What the boot loader loads; newer suites keep it beside the modules."""
        beside = self.modules / "vmlinuz"
        return beside if beside.exists() else self.tree / f"boot/vmlinuz-{self.release}"

    @property
    def modules(self) -> Path:
        """The folder of its modules."""
        return self.tree / "usr/lib/modules" / self.release

    def module(self, name: str) -> Path | None:
        """The file of a module of the tree."""
        return next(iter(sorted(self.modules.rglob(f"{name}.ko"))), None)

    def unpack(self) -> None:
        """Lay out Debian's kernel; a tree is there already."""
        if self.debs:
            unpack(self.debs, self.tree)
            run(["depmod", "-b", self.tree / "usr", self.release])


def of_suite(archive: Archive, architecture: Architecture, tree: Path) -> Kernel:
    """The newest kernel for virtual machines that the suite has, downloaded, to be unpacked into ``tree``."""
    image = archive.dependency(f"linux-image-cloud-{architecture.name}", "linux-image-")
    headers = archive.dependency(f"linux-headers-cloud-{architecture.name}", "linux-headers-")
    release = image.removeprefix("linux-image-")
    # Newer suites have the image in parts, and its package stands for them.
    parts = {f"linux-base-{release}", f"linux-binary-{release}", f"linux-modules-{release}"}.intersection(
        archive.dependencies(image)
    )
    return Kernel(release, tree, headers, [archive.alone(package) for package in (image, *sorted(parts))])


def of_tree(tree: Path) -> Kernel:
    """A kernel that was built with physbuf.ko among its modules; BuildError when something is not there."""
    found = sorted(tree.glob("boot/vmlinuz-*"))
    if len(found) != 1:
        raise BuildError(f"--kernel-tree {tree} must hold one boot/vmlinuz-RELEASE, it holds {len(found)}")
    kernel = Kernel(found[0].name.removeprefix("vmlinuz-"), tree)
    if not kernel.module("physbuf"):
        raise BuildError(f"--kernel-tree {tree} has no physbuf.ko below {kernel.modules}; build the module into it")
    return kernel
