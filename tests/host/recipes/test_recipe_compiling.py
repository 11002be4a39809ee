# SPDX-License-Identifier: MIT
"""Our own parts for the board: which compilers are fetched, for whom is compiled, where the results go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import compiling
import pytest
from architecture import AMD64, ARM64, Architecture
from kernel import Kernel
from packages import Deb


class Packages:
    """An archive of one architecture."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture

    def dependency(self, name: str, prefix: str) -> str:
        assert (name, prefix) == ("libpython3-dev", "libpython3.")
        return "libpython3.13-dev"

    def alone(self, name: str) -> Deb:
        return Deb(f"{name}:{self.architecture.name}", "1", Path(name))


class FakeToolchain:
    """Notes what is fetched and run; the compiler makes what is asked for."""

    def __init__(self, tree: Path) -> None:
        self.work = tree
        self.fetched: list[str] = []
        self.commands: list[tuple[str, ...]] = []

    def unpack(self, archive: Packages, packages: Iterable[str], foreign: Iterable[Deb]) -> None:
        assert archive.architecture is AMD64
        self.fetched = [*packages, *(deb.name for deb in foreign)]

    def run(self, *command: str, folder: str = "") -> str:
        self.commands.append(command)
        for target, module in (("modules", "physbuf.ko"), ("samples", "samples/physbuf_edu.ko")):
            if command[-1] == target:
                (self.work / folder / module).write_text(" ".join(command))
        return ""


@pytest.fixture
def toolchain(tmp_path: Path) -> Any:
    kit = FakeToolchain(tmp_path / "work")
    (kit.work / "module").mkdir(parents=True)
    return kit


def headers(toolchain: Any, architecture: Architecture, kernel: Kernel) -> set[str]:
    native: Any = Packages(AMD64)
    target: Any = Packages(architecture)
    compiling.unpack_toolchain(toolchain, native, target, architecture, kernel)
    assert set(compiling.PACKAGES) <= set(toolchain.fetched)
    return set(toolchain.fetched) - set(compiling.PACKAGES)


def test_the_hosts_own_compiler_does_for_a_pc(toolchain: Any) -> None:
    assert headers(toolchain, AMD64, Kernel("x", Path(), "linux-headers-x-amd64")) == {"linux-headers-x-amd64"}


def test_another_architecture_takes_a_cross_compiler_and_its_headers(toolchain: Any) -> None:
    assert headers(toolchain, ARM64, Kernel("x", Path(), "linux-headers-x-arm64")) == {
        "gcc-aarch64-linux-gnu",
        "libc6-dev-arm64-cross",
        "linux-headers-x-amd64",
        "linux-headers-x-arm64:arm64",
        "libpython3.13-dev:arm64",
        "libpython3.13-minimal:arm64",
    }


def test_a_kernel_with_its_modules_takes_no_headers(toolchain: Any) -> None:
    assert headers(toolchain, AMD64, Kernel("x", Path())) == set()


@pytest.mark.parametrize(
    ("architecture", "told"), [(AMD64, ["ARCH=x86"]), (ARM64, ["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"])]
)
def test_the_module_is_compiled_for_the_boards_kernel(
    toolchain: Any, tmp_path: Path, architecture: Architecture, told: list[str]
) -> None:
    kernel = Kernel("6.12.1", Path("/nowhere"), "linux-headers-6.12.1")
    assert compiling.install_modules(toolchain, architecture, kernel, tmp_path / "root") is None
    module = tmp_path / "root/usr/lib/modules/6.12.1/updates/physbuf.ko"
    assert module.read_text().split() == [
        "make", "-s", "KDIR=/usr/src/linux-headers-6.12.1", *told, "modules",
    ]  # fmt: skip


def test_the_sample_driver_is_compiled_with_it_and_stays_out_of_the_image(toolchain: Any, tmp_path: Path) -> None:
    (toolchain.work / "module/samples").mkdir()
    sample = compiling.install_modules(toolchain, AMD64, Kernel("6.12.1", Path(), "linux-headers-x"), tmp_path / "root")
    assert sample
    assert sample.read_text().endswith("samples")
    assert sample.name == compiling.SAMPLE
    assert [path.name for path in (tmp_path / "root").rglob("*.ko")] == ["physbuf.ko"]


@pytest.mark.parametrize("sample", [True, False])
def test_a_kernels_own_modules_are_taken_as_they_are(toolchain: Any, tmp_path: Path, sample: bool) -> None:
    tree = tmp_path / "tree"
    for name in ("physbuf.ko", *([compiling.SAMPLE] if sample else [])):
        (tree / "usr/lib/modules/6.12.1" / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / "usr/lib/modules/6.12.1" / name).write_text(f"the tree's {name}")
    (toolchain.work / "module/samples").mkdir()
    found = compiling.install_modules(toolchain, AMD64, Kernel("6.12.1", tree), tmp_path / "root")
    assert not toolchain.commands
    assert (tmp_path / "root/usr/lib/modules/6.12.1/updates/physbuf.ko").read_text() == "the tree's physbuf.ko"
    assert (found.read_text() if found else None) == ("the tree's physbuf_edu.ko" if sample else None)


def test_python_takes_the_targets_settings_for_its_own_only_for_another_architecture(toolchain: Any) -> None:
    compiling.install_tools(toolchain, AMD64, "/build/root")
    assert not any(word.startswith("_PYTHON") for command in toolchain.commands for word in command)
    toolchain.commands.clear()
    compiling.install_tools(toolchain, ARM64, "/build/root")
    library, pip = toolchain.commands[0], toolchain.commands[-1]
    assert {"CC=aarch64-linux-gnu-gcc", "AR=aarch64-linux-gnu-ar", "LIBDIR=/usr/lib/aarch64-linux-gnu"} <= set(library)
    assert "_PYTHON_SYSCONFIGDATA_NAME=_sysconfigdata__aarch64-linux-gnu" in pip
    assert "PKG_CONFIG_PATH=/usr/lib/aarch64-linux-gnu/pkgconfig" in pip
