# SPDX-License-Identifier: MIT
"""The module's tests run in the guest, on the board of --lg-env; this compiles their programs and lends the guest."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
UAPI = HERE.parents[1] / "module/include/uapi"
PROGRAMS = sorted(path.stem for path in HERE.glob("*.c"))
# What a guest of each of Debian's architectures runs: the compiler, and static where the guest has no C library for it.
# 32 bit callers are users, too.
MACHINES = {
    "amd64": {"amd64": ("x86_64-linux-gnu-gcc",), "i386": ("i686-linux-gnu-gcc", "-static")},
    "arm64": {"arm64": ("aarch64-linux-gnu-gcc",)},
}
FLAGS = ("-Os", "-s", "-Wall", "-Wextra", "-Werror", "-pthread", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64")

sys.path.insert(0, str(HERE))  # guest.py, kernel_health.py
from guest import Guest  # noqa: E402


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """All programs for an architecture's guests, as an archive of one file for each machine.

    The console is slow: a C library weighs more than all programs together.
    """

    @cache
    def build(architecture: str) -> bytes:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:xz") as archive:
            for machine, compiler in MACHINES[architecture].items():
                archive.add(_compile(compiler, tmp_path_factory.mktemp(machine)), machine)
        return content.getvalue()

    return build


def _compile(compiler: tuple[str, ...], folder: Path) -> Path:
    """One file that is all programs: its first argument says which."""
    objects = []
    for name in PROGRAMS:
        objects.append(folder / f"{name}.o")
        source = HERE / f"{name}.c"
        subprocess.run([*compiler, *FLAGS, f"-I{UAPI}", f"-Dmain={name}", "-c", "-o", objects[-1], source], check=True)
    declare = "".join(f"int {name}(int, char **);\n" for name in PROGRAMS)
    choose = "".join(f'if (!strcmp(argv[1], "{name}")) return {name}(argc - 1, argv + 1);\n' for name in PROGRAMS)
    chooser = folder / "main.c"
    main = f"int main(int argc, char **argv) {{\nif (argc < 2) return 2;\n{choose}return 2;\n}}\n"
    chooser.write_text(f"#include <string.h>\n{declare}{main}")
    program = folder / "programs"
    subprocess.run([*compiler, *FLAGS, "-o", program, chooser, *objects], check=True)
    return program


@pytest.fixture(scope="module")
def _guests() -> Iterator[list[Guest]]:
    """The guest of a test module, given back with the module loaded as the image does it."""
    guests: list[Guest] = []
    yield guests
    for guest in guests:
        guest.need_own()


@pytest.fixture
def guest(board: Any, programs: Callable[[str], bytes], _guests: list[Guest]) -> Guest:
    """The booted board."""
    if not _guests:
        architecture = board.manifest.declared.get("architecture", "amd64")
        _guests.append(Guest(board, list(MACHINES[architecture]), programs(architecture)))
    return _guests[0]
