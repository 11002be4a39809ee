# SPDX-License-Identifier: MIT
"""The board's kernel: from the suite's packages, whatever they are split into, or from a tree that somebody built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kernel
import pytest
from architecture import AMD64, ARM64, Architecture
from packages import Deb
from steps import BuildError

RELEASE = "7.2.1-cloud-amd64"


class Packages:
    """An archive whose packages depend on each other as told."""

    def __init__(self, depends: dict[str, list[str]]) -> None:
        self.depends = depends

    def dependencies(self, name: str) -> list[str]:
        return self.depends[name]

    def dependency(self, name: str, prefix: str) -> str:
        return next(package for package in self.depends[name] if package.startswith(prefix))

    def alone(self, name: str) -> Deb:
        return Deb(name, "1", Path(f"{name}.deb"))


def of_suite(image: list[str], architecture: Architecture = AMD64) -> kernel.Kernel:
    release = RELEASE.replace("amd64", architecture.name)
    packages: Any = Packages(
        {
            f"linux-image-cloud-{architecture.name}": ["linux-base", f"linux-image-{release}"],
            f"linux-headers-cloud-{architecture.name}": [f"linux-headers-{release}"],
            f"linux-image-{release}": image,
        }
    )
    return kernel.of_suite(packages, architecture, Path("/tree"))


@pytest.mark.parametrize("architecture", [AMD64, ARM64])
def test_one_package_holds_the_kernel(architecture: Architecture) -> None:
    found = of_suite(["kmod", "linux-base"], architecture)
    release = f"7.2.1-cloud-{architecture.name}"
    assert (found.release, found.headers) == (release, f"linux-headers-{release}")
    assert [deb.name for deb in found.debs] == [f"linux-image-{release}"]
    assert found.image == Path(f"/tree/boot/vmlinuz-{release}")


def test_one_package_stands_for_the_parts_of_the_kernel() -> None:
    found = of_suite(["dracut", f"linux-base-{RELEASE}", f"linux-binary-{RELEASE}", f"linux-modules-{RELEASE}"])
    parts = ["image", "base", "binary", "modules"]
    assert [deb.name for deb in found.debs] == [f"linux-{part}-{RELEASE}" for part in parts]


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """A tree with these files."""

    def _tree(*names: str) -> Path:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(name)
        return tmp_path

    return _tree


IMAGE = f"boot/vmlinuz-{RELEASE}"
MODULE = f"usr/lib/modules/{RELEASE}/kernel/drivers/misc/physbuf.ko"
SAMPLE = f"usr/lib/modules/{RELEASE}/extra/physbuf_edu.ko"


def test_a_tree_brings_its_own_modules(tree: Callable[..., Path]) -> None:
    folder = tree(IMAGE, MODULE, SAMPLE)
    found = kernel.of_tree(folder)
    assert (found.release, found.image, found.headers) == (RELEASE, folder / IMAGE, "")
    assert found.module("physbuf") == folder / MODULE
    assert found.module("physbuf_edu") == folder / SAMPLE
    assert found.module("other") is None


def test_the_image_may_lie_beside_the_modules(tree: Callable[..., Path]) -> None:
    beside = f"usr/lib/modules/{RELEASE}/vmlinuz"
    folder = tree(beside)
    assert kernel.Kernel(RELEASE, folder).image == folder / beside


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([MODULE], "must hold one boot/vmlinuz-RELEASE, it holds 0"),
        ([IMAGE, MODULE, "boot/vmlinuz-6.1"], "must hold one boot/vmlinuz-RELEASE, it holds 2"),
        ([IMAGE], "has no physbuf.ko below"),
        ([IMAGE, MODULE.replace(RELEASE, "6.1")], "has no physbuf.ko below"),
    ],
)
def test_half_of_a_tree_is_refused(tree: Callable[..., Path], names: list[str], why: str) -> None:
    folder = tree(*names)
    with pytest.raises(BuildError, match=f"^--kernel-tree {folder} {why}"):
        kernel.of_tree(folder)
