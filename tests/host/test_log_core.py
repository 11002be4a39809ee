# SPDX-License-Identifier: MIT
"""The C side: the core under the sanitizers, and that it builds without a C library, for 32 and 64 bits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
CORE = sorted(str(path) for path in (TOP / "log").glob("*.c"))
LIBRARY = sorted(str(path) for path in (TOP / "libphysbuf/src").glob("*.c"))
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed; run: make test-host", pytrace=False)
    return found


def run(command: list[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def build_test(program: Path, core: list[str], sanitizers: list[str]) -> None:
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64"]
    includes = ["-include", f"{TOP}/tests/host/c/cut.h"]
    includes += [f"-I{TOP / path}" for path in ("libphysbuf/include", "log", "module/include/uapi")]
    sources = [f"{TOP}/tests/host/c/test_log_core.c", *core, *LIBRARY]
    run([compiler("gcc"), *options, *WARNINGS, *sanitizers, *includes, *sources, "-o", str(program)])


def test_core_and_library_under_the_sanitizers(tmp_path: Path) -> None:
    program = tmp_path / "test_log_core"
    build_test(program, CORE, SANITIZERS)
    assert run([str(program), str(tmp_path)]) == "ok\n"


@pytest.mark.parametrize("bits", ["-m64", "-m32"])
@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_core_is_freestanding(tmp_path: Path, name: str, bits: str) -> None:
    # -m32 needs no 32-bit C library: a freestanding program has none.
    machine = subprocess.run(["gcc", "-print-multiarch"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if machine != "x86_64-linux-gnu":
        pytest.skip(f"-m64 and -m32 are x86 options, this is {machine}")
    options = ["-std=gnu11", "-O2", "-ffreestanding", "-nostdlib", "-fno-builtin", bits, *WARNINGS]
    options += ["-isystem", f"/usr/include/{machine}"]
    objects = []
    for source in CORE:
        objects.append(str(tmp_path / (Path(source).stem + ".o")))
        run([compiler(name), *options, "-c", source, "-o", objects[-1]])
    undefined = run(["nm", "-u", *objects]).split()
    # The four that a freestanding compiler may always call.
    allowed = ("physbuf_", "memcpy", "memset", "memmove", "memcmp", "_GLOBAL_OFFSET_TABLE_")
    assert not [
        word for word in undefined if word not in ("U",) and not word.endswith(":") and not word.startswith(allowed)
    ]


MUTATIONS = {
    "no checksum of records": ("physbuf_cursor.c", "if (crc != word >> 32)", "if (0)"),
    "no lap in it": ("physbuf_layout.c", "media[2] = physbuf_le64(serial);", "media[2] = serial * 0;"),
    "no place in it": ("physbuf_layout.c", "media[1] = physbuf_le64(offset);", "media[1] = offset * 0;"),
    "no checksum of headers": ("physbuf_layout.c", "high(w[7]) != header_crc(w, 8)", "0"),
    "no zero word behind a record": ("physbuf_log.c", "if (need < log->sub_size - log->fill)", "if (0)"),
    "no intent": ("physbuf_log.c", "physbuf_store(log->base, at, TAG_INTENT | length);", ";"),
    "commit before the payload": (
        "physbuf_log.c",
        "physbuf_store(log->base, at, TAG_INTENT | length);",
        "physbuf_commit(log->base, at, (TAG_COMMITTED | length) | (uint64_t)crc << 32);",
    ),
    "one superblock slot": ("physbuf_layout.c", "at = (log->generation & 1) * SUPER_STRIDE;", "at = 0;"),
    "the superblock's epoch only": ("physbuf_log.c", "if (header.epoch > log->epoch) {", "if (0) {"),
    "no new sub-buffer for a new epoch": ("physbuf_log.c", "cursor.epoch == log->epoch &&", "1 &&"),
    "writing on behind a torn record": ("physbuf_log.c", "!cursor.report.torn &&", "1 &&"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_test_notices(tmp_path: Path, name: str) -> None:
    file, rule, without = MUTATIONS[name]
    core = shutil.copytree(TOP / "log", tmp_path / "log")
    text = (core / file).read_text()
    assert text.count(rule) == 1
    (core / file).write_text(text.replace(rule, without))
    program = tmp_path / "mutant"
    build_test(program, [str(path) for path in sorted(core.glob("*.c"))], [])
    done = subprocess.run([str(program), str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    assert done.returncode != 0
