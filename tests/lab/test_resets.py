# SPDX-License-Identifier: MIT
"""Each reset type, proven, keeps every region; the controls show that a loss would have been seen."""

from __future__ import annotations

import pytest

from physbuf_lab.resets import RESETS
from physbuf_lab.strategy import PhysbufStrategy
from physbuf_lab.trial import control_flip, control_power, run_trial
from physbuf_lab.verdict import RETAINED


@pytest.mark.parametrize("reset", [pytest.param(reset, id=name) for name, reset in RESETS.items() if reset.keeps_ram])
def test_a_warm_reset_keeps_the_content(board: PhysbufStrategy, reset, trials: int) -> None:
    for n in range(1, trials + 1):
        trial = run_trial(board, reset, n)
        assert trial.verdict == RETAINED, trial


def test_control_one_flipped_byte_is_caught(board: PhysbufStrategy) -> None:
    control = control_flip(board)
    assert control.ok, control.detail


def test_control_power_away_loses_the_content(board: PhysbufStrategy) -> None:
    control, _ = control_power(board)
    assert control.ok, control.detail
