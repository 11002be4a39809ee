# SPDX-License-Identifier: MIT
"""Build the kernel module for Debian's kernels, old to new, amd64 and arm64, and print a table.

Each kernel is built by its own suite's compiler, with warnings as errors, and checked by that suite's sparse; the
sample drivers likewise. Nothing is installed on the host.
Exit status: 0 all built and sparse clean, 1 one was not, 2 set-up failure, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import sparse
from architecture import ARCHITECTURES, ARM64
from packages import Archive, require
from steps import BuildError, run, step
from toolchain import Toolchain

TOP = Path(__file__).resolve().parents[2]
SUITES = ("bullseye", "bookworm", "trixie", "sid")
TOOLS = {"apt-get": "apt", "dpkg-deb": "dpkg", "modinfo": "kmod", "mount": "mount", "unshare": "util-linux"}


@dataclass(frozen=True)
class Row:
    """One module: ``fault`` has the compiler's last lines when it was not built, ``sparse`` its complaints."""

    suite: str
    architecture: str
    kernel: str
    vermagic: str = ""
    size: int = 0
    fault: str = ""
    sparse: tuple[str, ...] = ()


def main() -> int:
    """Build all, print the table, keep the modules."""
    options = _arguments()
    try:
        require(TOOLS)
        rows = [row for suite in options.suites for row in _build(suite, options)]
    except BuildError as error:
        print(f"recipes/debian: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("recipes/debian: interrupted", file=sys.stderr)
        return 130
    print(json.dumps([asdict(row) for row in rows], indent=2) if options.json else _table(rows))
    return 1 if any(row.fault or row.sparse for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TOP / "out/modules", help="folder for KERNEL/physbuf.ko")
    parser.add_argument("--work", type=Path, default=TOP / "build/debian", help="cache: packages, toolchains")
    parser.add_argument("--suites", nargs="+", default=SUITES, choices=SUITES, help="which suites' kernels (all)")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options = parser.parse_args()
    options.work = options.work.resolve()
    return options


def _build(suite: str, options: argparse.Namespace) -> Iterator[Row]:
    toolchain = Toolchain(options.work / f"modules-{suite}")
    with step(f"{suite}: fetching and unpacking compilers and headers"):
        headers = _unpack(suite, options.work, toolchain)
    for architecture, package in headers.items():
        kernel = package.removeprefix("linux-headers-")
        toolchain.copy_in(TOP / "module")
        watch = sparse.Watch(toolchain.work / "module", toolchain.tree)
        variables = [f"KDIR=/usr/src/{package}", *ARCHITECTURES[architecture].kernel_variables, *sparse.VARIABLES]
        with step(f"{suite}: Linux {kernel}"):
            try:
                said = toolchain.run(
                    "sh", "-c", 'exec make -s "$@" 2>&1', "make", *variables, "samples", folder="module"
                )
            except BuildError as error:
                yield Row(suite, architecture, kernel, fault=str(error))
                continue
        built = toolchain.work / "module/physbuf.ko"
        kept = options.out / kernel / "physbuf.ko"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(built, kept)
        vermagic = run(["modinfo", "-F", "vermagic", kept]).strip()
        yield Row(suite, architecture, kernel, vermagic, kept.stat().st_size, sparse=tuple(watch.complaints(said)))


def _unpack(suite: str, work: Path, toolchain: Toolchain) -> dict[str, str]:
    """Make the suite's tree; returns the package of headers for each architecture."""
    native, foreign = Archive(work / suite, suite), Archive(work / f"{suite}-arm64", suite, "arm64")
    native.update()
    foreign.update()
    headers = {
        archive.arch: archive.dependency(f"linux-headers-{archive.arch}", "linux-headers-")
        for archive in (native, foreign)
    }
    # The common headers and the build tools are those of amd64; only the configured headers differ.
    packages = [f"gcc-{ARM64.triplet}", sparse.PACKAGE, headers["amd64"]]
    toolchain.unpack(native, packages, [foreign.alone(headers["arm64"])])
    return headers


def _table(rows: list[Row]) -> str:
    lines = [f"{'suite':10}{'kernel':36}{'built':7}{'sparse':8}{'bytes':>8}  vermagic or fault"]
    for row in rows:
        checked = "-" if row.fault else "NO" if row.sparse else "clean"
        lines.append(
            f"{row.suite:10}{row.kernel:36}{'NO' if row.fault else 'yes':7}{checked:8}{row.size:8}  "
            + (row.fault or row.vermagic)
        )
        lines += [f"{'':12}{complaint}" for complaint in row.sparse]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
