# SPDX-License-Identifier: MIT
"""Who may use which device of the board."""

from __future__ import annotations

import pytest

from physbuf_lab.strategy import PhysbufStrategy


@pytest.mark.parametrize("device", ["null", "zero", "urandom", "tty"])
def test_everybody_has_the_usual_devices(board: PhysbufStrategy, device: str) -> None:
    done = board.channel.program("su", "nobody", "-s", "/bin/sh", "-c", f"test -r /dev/{device} -a -w /dev/{device}")
    assert done["status"] == 0


@pytest.mark.parametrize(("user", "may"), [("app", True), ("nobody", False)])
def test_the_group_has_the_regions(board: PhysbufStrategy, user: str, may: bool) -> None:
    done = board.channel.program("su", user, "-s", "/bin/sh", "-c", "test -w /dev/physbuf/log")
    assert (done["status"] == 0) is may
