# SPDX-License-Identifier: MIT
"""Our own parts for the board: the module, the library, the tools; compiled in the toolchain, installed in a tree."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from architecture import HOST, Architecture
from kernel import Kernel
from packages import Archive, Deb
from toolchain import Toolchain

__all__ = ["SAMPLE", "install_modules", "install_tools", "unpack_toolchain"]

PACKAGES = ("busybox-static", "pkgconf", "python3-cffi", "python3-dev", "python3-pip", "python3-setuptools")
SAMPLE = "physbuf_edu.ko"


def unpack_toolchain(
    toolchain: Toolchain, native: Archive, target: Archive, architecture: Architecture, kernel: Kernel
) -> None:
    """Compilers and headers that run here, from ``native``, and what is the board's own of them, from ``target``."""
    packages = [*PACKAGES, *architecture.compilers]
    foreign: list[Deb] = []
    if kernel.headers:
        # The common headers and the build tools are the host's; only the configured headers differ.
        packages.append(kernel.headers.removesuffix(architecture.name) + HOST.name)
    if architecture.is_foreign:
        python = target.dependency("libpython3-dev", "libpython3.").removesuffix("-dev")
        foreign = [target.alone(name) for name in (f"{python}-dev", f"{python}-minimal")]
        foreign += [target.alone(kernel.headers)] if kernel.headers else []
    toolchain.unpack(native, packages, foreign)


def install_modules(toolchain: Toolchain, architecture: Architecture, kernel: Kernel, tree: Path) -> Path | None:
    """Put physbuf.ko where modprobe finds it; returns the sample driver's module, if there is one."""
    updates = tree / "usr/lib/modules" / kernel.release / "updates"
    updates.mkdir(parents=True)
    if not kernel.headers:
        module = kernel.module("physbuf")
        assert module
        shutil.copyfile(module, updates / "physbuf.ko")
        return kernel.module(Path(SAMPLE).stem)
    make = ["make", "-s", f"KDIR=/usr/src/{kernel.headers}", *architecture.kernel_variables]
    toolchain.run(*make, "modules", folder="module")
    shutil.copyfile(toolchain.work / "module/physbuf.ko", updates / "physbuf.ko")
    if not (toolchain.work / "module/samples").is_dir():
        return None
    toolchain.run(*make, "samples", folder="module")
    return toolchain.work / "module/samples" / SAMPLE


def install_tools(toolchain: Toolchain, architecture: Architecture, tree: str) -> None:
    """The library and the command, into ``tree`` as seen from inside the toolchain."""
    triplet = architecture.triplet
    # Into the toolchain too: the Python extension links with the library there.
    for destination in ("/", tree):
        toolchain.run("make", "-s", "install", f"CC={triplet}-gcc", f"AR={triplet}-ar", f"DESTDIR={destination}",
                      "PREFIX=/usr", f"LIBDIR=/usr/lib/{triplet}", folder="libphysbuf")  # fmt: skip
    toolchain.run("env", "DEB_PYTHON_INSTALL_LAYOUT=deb_system", *_python_variables(architecture),
                  "python3", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
                  "--break-system-packages", "--no-compile", "--root-user-action=ignore", f"--root={tree}",
                  "--prefix=/usr", "./python-tools")  # fmt: skip


def _python_variables(architecture: Architecture) -> Iterable[str]:
    """What makes the host's Python take the target's for its own when it compiles an extension."""
    if not architecture.is_foreign:
        return []
    triplet = architecture.triplet
    return [
        f"_PYTHON_SYSCONFIGDATA_NAME=_sysconfigdata__{triplet}",
        f"_PYTHON_HOST_PLATFORM=linux-{triplet.partition('-')[0]}",
        f"PKG_CONFIG_PATH=/usr/lib/{triplet}/pkgconfig",
    ]
