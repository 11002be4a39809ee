# SPDX-License-Identifier: MIT
"""A bench: a fake board behind the real channel and the real strategy, with a clock that nobody waits for."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from fake_board import Bench, FakeBoard, make_image

import physbuf_lab.campaign
import physbuf_lab.channel
import physbuf_lab.console
import physbuf_lab.resets
import physbuf_lab.strategy
import physbuf_lab.trial
from labgrid import Target
from physbuf_lab.channel import ChannelDriver
from physbuf_lab.strategy import PhysbufStrategy

TIMED = ("campaign", "channel", "console", "resets", "strategy", "trial")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """disk.img, with its manifest beside it."""
    return make_image(tmp_path / "image")


@pytest.fixture
def bench(image: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A board that is off, with nothing on its storage."""
    target = Target("main")
    board = FakeBoard(target, "board")
    for module in TIMED:
        monkeypatch.setattr(getattr(physbuf_lab, module), "time", board.clock)
    channel = ChannelDriver(target, "channel")
    strategy = PhysbufStrategy(target, "strategy")
    strategy.use_image(image)
    target.activate(channel)
    return Bench(board, channel, strategy)
