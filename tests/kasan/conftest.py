# SPDX-License-Identifier: MIT
"""Run after tests/module in one session on the board qemu-x86_64-kasan: what its kernel says of it all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[2]
MODULES = TOP / "build/debian/debug-kernel/usr/lib/modules"

sys.path.insert(0, str(TOP / "tests/module"))  # kernel_health.py


@pytest.fixture
def console(board: Any, request: pytest.FixtureRequest) -> Callable[[], str]:
    """All that the board has said in this session, up to now."""
    path = request.config.getoption("--physbuf-console")
    if not path:
        pytest.fail("the kernel's complaints are on the console: give --physbuf-console FILE", pytrace=False)

    def text() -> str:
        board.channel.program("true")  # what the kernel said before this answer has been heard
        return str(path.read_text(errors="replace"))

    return text


@pytest.fixture
def kernel_module(board: Any) -> Callable[[str], str]:
    """Puts a module of the debug kernel onto the board; returns where."""

    def put(name: str) -> str:
        found = list((MODULES / board.hello.kernel).rglob(f"{name}.ko"))
        assert found, f"{MODULES / board.hello.kernel} has no {name}.ko; run recipes/debian/debug_kernel.py"
        path = f"/tmp/{name}.ko"
        board.channel.put(found[0].read_bytes(), path)
        return path

    return put
