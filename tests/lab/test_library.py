# SPDX-License-Identifier: MIT
"""The C library on the board's own device."""

from __future__ import annotations

import subprocess
from pathlib import Path

from physbuf_lab.strategy import PhysbufStrategy

HERE = Path(__file__).parent
TOP = HERE.parents[1]
COMPILERS = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}  # newer C libraries run it, too


def test_the_library_on_the_device(board: PhysbufStrategy, tmp_path: Path) -> None:
    compiler = COMPILERS[board.manifest.declared.get("architecture", "amd64")]
    includes = [f"-I{TOP / path}" for path in ("libphysbuf/include", "log", "module/include/uapi")]
    sources = [HERE / "test_library.c", *(TOP / "log").glob("*.c"), *(TOP / "libphysbuf/src").glob("*.c")]
    options = ["-std=gnu11", "-Os", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-Wall", "-Wextra", "-Werror"]
    program = tmp_path / "test_library"
    subprocess.run([compiler, *options, *includes, *map(str, sources), "-s", "-o", program], check=True)
    board.channel.put(program.read_bytes(), "/tmp/test_library", 0o755)
    done = board.channel.program("su", "app", "-s", "/bin/sh", "-c", "/tmp/test_library legacy")
    assert (done["status"], done["stdout"], done["stderr"]) == (0, "ok\n", "")
