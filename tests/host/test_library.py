# SPDX-License-Identifier: MIT
"""libphysbuf under the sanitizers: mappings, accesses, and what it asks of the module."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
LIBRARY = TOP / "libphysbuf"
SOURCES = [
    TOP / "tests/host/c/test_region.c",
    *sorted((TOP / "log").glob("*.c")),
    *sorted((LIBRARY / "src").glob("*.c")),
]
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# The test stands between the library and the kernel.
WRAPPED = [f"-Wl,--wrap={call}" for call in ("fstat64", "ioctl", "mmap64")]


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed; run: make test-host", pytrace=False)
    return found


def compile_c(*words: str | Path, cwd: Path) -> None:
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-Wall", "-Wextra", "-Werror"]
    options += [f"-I{TOP / path}" for path in ("libphysbuf/include", "libphysbuf/src", "log", "module/include/uapi")]
    command = [compiler("gcc"), *options, *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_regions_under_the_sanitizers(tmp_path: Path) -> None:
    compile_c(*SANITIZERS, *SOURCES, *WRAPPED, "-o", "test_region", cwd=tmp_path)
    done = subprocess.run([tmp_path / "test_region", tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The test and what it tests, to be linked with one of them changed."""
    folder = tmp_path_factory.mktemp("objects")
    compile_c("-c", *SOURCES, cwd=folder)
    return sorted(folder.glob("*.o"))


MUTATIONS = {
    "replaces what is there": ("mapping.c", "address, MAP_FIXED_NOREPLACE, access", "address, MAP_FIXED, access"),
    "believes an old kernel": ("mapping.c", "if (found != address) {", "if (0) {"),
    "leaves alignment to the kernel": ("mapping.c", "!address || !aligned((uintptr_t)address)", "!address"),
    "no range of a mapping": ("mapping.c", "!physbuf_holds(region, offset, length)", "0"),
    "offsets of buffers refused": ("mapping.c", "region->info.kind != PHYSBUF_KIND_DMA && ", ""),
    "no alignment of an access": ("access.c", " || offset % width)", ")"),
    "an access too wide": (
        "access.c",
        "if (width == 2)\n\t\t*(volatile uint16_t",
        "if (width == 2)\n\t\t*(volatile uint32_t",
    ),
    "no end": ("access.c", "return physbuf_holds(region, offset, width) ? 0 : -ERANGE;", "return 0;"),
    "no right to poke": ("access.c", "if (!region->writable)\n", "if (0)\n"),
    "the whole of a dma region": ("region.c", "if (region->info.kind == PHYSBUF_KIND_DMA)", "if (0)"),
    "cleans from the page on": ("clean.c", "if (region->info.kind)", "if (0)"),
    "no rings": ("notify.c", "PHYSBUF_IOC_RINGS", "PHYSBUF_IOC_RING"),
    "no time is over": ("notify.c", "if (!ready)", "if (0)"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_test_notices(tmp_path: Path, objects: list[Path], name: str) -> None:
    file, rule, without = MUTATIONS[name]
    text = (LIBRARY / "src" / file).read_text()
    assert text.count(rule) == 1
    (tmp_path / file).write_text(text.replace(rule, without))
    others = [path for path in objects if path.stem != Path(file).stem]
    compile_c(file, *others, *WRAPPED, "-o", "mutant", cwd=tmp_path)
    done = subprocess.run([tmp_path / "mutant", tmp_path], capture_output=True, check=False)
    assert done.returncode != 0


def test_everything_declared_is_exported(tmp_path: Path) -> None:
    declared = re.findall(
        r"\b(physbuf_\w+)\(", re.sub(r"/\*.*?\*/", "", (LIBRARY / "include/physbuf.h").read_text(), flags=re.S)
    )
    exported = re.findall(r"^\t(physbuf_\w+);$", (LIBRARY / "src/libphysbuf.map").read_text(), flags=re.M)
    assert sorted(set(declared)) == sorted(exported)
