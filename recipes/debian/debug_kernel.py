# SPDX-License-Identifier: MIT
"""Build a kernel that watches itself, with physbuf in its own tree, from Debian's source of the suite's kernel.

The result is a tree with boot/vmlinuz-RELEASE and usr/lib/modules/RELEASE. Compiling happens in the suite's own
toolchain; a second run compiles what changed. Exit status: 0 built, 2 set-up or build failure, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packages import Archive, Deb, require
from sources import copy_sources
from steps import BuildError, run, step
from toolchain import Toolchain

TOP = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).parent / "files/debug-kernel.config"
PACKAGES_TO_BUILD = ("bc", "bison", "diffutils", "flex", "gzip", "kmod", "libelf-dev", "perl", "xz-utils")
TOOLS = {"apt-get": "apt", "dpkg-deb": "dpkg", "mount": "mount", "unshare": "util-linux", "xz": "xz-utils"}
LINUX = "linux"
DRIVERS = "drivers/misc"
# Nothing in the kernel tells who built it, and when.
NAMELESS = ("KBUILD_BUILD_USER=physbuf", "KBUILD_BUILD_HOST=physbuf", "KBUILD_BUILD_TIMESTAMP=1970-01-01")


def main() -> int:
    """Build, and replace the tree in --out."""
    options = _arguments()
    try:
        require(TOOLS)
        _build(options)
    except (BuildError, OSError) as error:
        print(f"recipes/debian: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("recipes/debian: interrupted", file=sys.stderr)
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TOP / "build/debian/debug-kernel", help="folder for the tree")
    parser.add_argument("--work", type=Path, default=TOP / "build/debian", help="cache: packages, toolchain, objects")
    parser.add_argument("--module", type=Path, default=TOP / "module", help="the module's sources")
    parser.add_argument("--suite", default="trixie", help="Debian suite (default trixie)")
    options = parser.parse_args()
    options.work = options.work.resolve()
    return options


def _build(options: argparse.Namespace) -> None:
    archive = Archive(options.work / options.suite, options.suite)
    toolchain = Toolchain(options.work / "toolchain-debug-kernel")
    with step("fetching the package lists"):
        archive.update()
    package = archive.dependency("linux-source", "linux-source-")
    with step(f"fetching {package}"):
        source = archive.alone(package)
    with step("fetching and unpacking the toolchain"):
        toolchain.unpack(archive, PACKAGES_TO_BUILD)
    linux = toolchain.work / LINUX
    with step(f"unpacking Linux {source.version}"):
        _unpack_source(source, linux)
    add_module(options.module, linux)
    with step("configuring"):
        shutil.copyfile(CONFIG, linux / CONFIG.name)
        _make(toolchain, f"KCONFIG_ALLCONFIG={CONFIG.name}", "allnoconfig")
        check_config(CONFIG.read_text(), (linux / ".config").read_text())
    with step("compiling; the first time takes a while"):
        _make(toolchain, "bzImage", "modules")
    release = _make(toolchain, "kernelrelease").strip()
    with step(f"installing Linux {release} into {options.out}"):
        _install(toolchain, release, options.out)


def add_module(module: Path, linux: Path) -> None:
    """Put the module where a driver of the kernel's own would be."""
    folder = linux / DRIVERS / "physbuf"
    shutil.rmtree(folder, ignore_errors=True)
    copy_sources(module, folder)
    makefile = linux / DRIVERS / "Makefile"
    entry = "obj-$(CONFIG_PHYSBUF)\t\t+= physbuf/\n"
    if entry not in makefile.read_text():
        makefile.write_text(makefile.read_text() + entry)
    kconfig = linux / DRIVERS / "Kconfig"
    menu, end, _ = kconfig.read_text().rpartition("endmenu\n")
    entry = f'source "{DRIVERS}/physbuf/Kconfig"\n'
    if entry not in menu:
        kconfig.write_text(f"{menu}{entry}{end}")


def check_config(wanted: str, got: str) -> None:
    """BuildError for lines that kconfig dropped, which it does without a word when something they need is missing."""
    lines = set(got.splitlines())
    options = re.findall(r"^CONFIG_\w+=.*$|^# CONFIG_\w+ is not set$", wanted, re.MULTILINE)
    dropped = [line for line in options if line not in lines and not _is_absent(line, got)]
    if dropped:
        raise BuildError(f"kconfig dropped {', '.join(dropped)}; see what they depend on, and mend {CONFIG.name}")


def _is_absent(line: str, got: str) -> bool:
    """An option that is to be off may also not be there at all."""
    name = line.removeprefix("# ").removesuffix(" is not set")
    return name != line and f"{name}=" not in got


def _unpack_source(source: Deb, linux: Path) -> None:
    """Once a version; objects of another version go with its source."""
    mark = linux / "unpacked"
    if mark.is_file() and mark.read_text() == source.version:
        return
    shutil.rmtree(linux, ignore_errors=True)
    linux.mkdir(parents=True)
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", source.path], stdout=subprocess.PIPE) as package,
        subprocess.Popen(
            ["tar", "-xO", "--wildcards", "./usr/src/linux-source-*.tar.xz"],
            stdin=package.stdout,
            stdout=subprocess.PIPE,
        ) as tarball,
    ):
        run(["tar", "-xJ", "-C", linux, "--strip-components=1", "--no-same-owner"], stdin=tarball.stdout)
    if package.returncode or tarball.returncode:
        raise BuildError(f"dpkg-deb cannot read {source.path}; remove it and run again")
    mark.write_text(source.version)


def _make(toolchain: Toolchain, *arguments: str) -> str:
    return toolchain.run("make", "-s", f"-j{os.cpu_count()}", *NAMELESS, *arguments, folder=LINUX)


def _install(toolchain: Toolchain, release: str, out: Path) -> None:
    tree = toolchain.work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    _make(toolchain, "INSTALL_MOD_PATH=/build/tree/usr", "modules_install")
    (tree / "usr/lib/modules" / release / "build").unlink(missing_ok=True)
    (tree / "boot").mkdir()
    shutil.copyfile(toolchain.work / LINUX / "arch/x86/boot/bzImage", tree / f"boot/vmlinuz-{release}")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(tree, out, symlinks=True)


if __name__ == "__main__":
    sys.exit(main())
