# SPDX-License-Identifier: MIT
"""pytest on a board: ``pytest --lg-env BOARD.yaml tests/lab``.

Brings the fixture ``board``, a flashed and booted board for the whole session, and the options below.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .strategy import PhysbufStrategy

__all__ = ["board", "trials"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a session on a board."""
    group = parser.getgroup("physbuf")
    group.addoption("--physbuf-trials", type=int, default=1, help="trials of each reset type (default 1)")
    group.addoption("--physbuf-image", type=Path, help="disk.img or its folder, instead of the environment's own")
    group.addoption("--physbuf-console", type=Path, help="write the console's text to this file")


@pytest.fixture(scope="session")
def trials(request: pytest.FixtureRequest) -> int:
    """How many trials of each reset type."""
    return int(request.config.getoption("--physbuf-trials"))


@pytest.fixture(scope="session")
def _strategy(request: pytest.FixtureRequest) -> Iterator[PhysbufStrategy]:
    if not request.config.getoption("lg_env"):
        pytest.fail("these tests need a board: give --lg-env labgrid/boards/qemu-x86_64.yaml", pytrace=False)
    target: Any = request.getfixturevalue("target")
    strategy = target.get_driver("PhysbufStrategy", activate=False)
    if image := request.config.getoption("--physbuf-image"):
        strategy.use_image(image)
    target.activate(strategy.power)
    target.activate(strategy.channel)
    if console := request.config.getoption("--physbuf-console"):
        strategy.channel.record(console)
    yield strategy
    strategy.power.off()


@pytest.fixture
def board(_strategy: PhysbufStrategy) -> PhysbufStrategy:
    """A board that is flashed and booted."""
    _strategy.transition("ready")
    return _strategy
