# SPDX-License-Identifier: MIT
"""The module's tests run in the guest, on the board of --lg-env."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
UAPI = HERE.parents[1] / "module/include/uapi"


@pytest.fixture(scope="session")
def test_reserved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The in-guest test program, compiled for the host's architecture; newer C libraries run it too."""
    program = tmp_path_factory.mktemp("module") / "test_reserved"
    subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{UAPI}", "-o", program, HERE / "test_reserved.c"], check=True
    )
    return program.read_bytes()


@pytest.fixture
def guest(board: Any, test_reserved: bytes) -> Any:
    """The channel to a booted board that has the test program in /tmp."""
    channel = board.channel
    if channel.program("test", "-x", "/tmp/test_reserved")["status"]:
        channel.put(test_reserved, "/tmp/test_reserved", 0o755)
    return channel
