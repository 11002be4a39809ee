# SPDX-License-Identifier: MIT
"""An emulated board that switches itself off is off: its RAM is gone, and it does not come back by itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
import yaml

from physbuf_lab.emulated.board import Board
from physbuf_lab.errors import BoardError

from .conftest import BOARDS, TOP


@pytest.fixture
def booted() -> Iterator[Board]:
    """A board at its shell's prompt."""
    resource = yaml.safe_load((BOARDS / "qemu-x86_64.yaml").read_text())["targets"]["main"]["resources"][
        "EmulatedBoard"
    ]
    board = Board(shlex.split(resource["command"]), ram_size=1 << 30, storage_size=256 << 20)
    board.flash(TOP / "out/image/qemu-x86_64/disk.img")
    board.power_on()
    said = b""
    while b"# " not in said.partition(b"physbuf-board: ready")[2]:
        heard = board.read_console(60.0)
        assert heard, said[-500:]
        said += heard
    yield board
    board.discard()


def test_poweroff_is_no_reset(booted: Board) -> None:
    booted.write_console(b"poweroff\n")
    with pytest.raises(BoardError, match="the emulator ended"):
        while booted.read_console(60.0):
            pass
    assert not booted.is_on
    assert booted.resets == []
