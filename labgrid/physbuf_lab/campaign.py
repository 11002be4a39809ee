# SPDX-License-Identifier: MIT
"""A campaign: set up, controls, then so many trials of each reset type; and what they amount to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from labgrid.strategy import StrategyError

from .errors import BoardError, SetupError
from .resets import ResetType
from .statistics import loss_bound
from .strategy import PhysbufStrategy
from .trial import Control, Trial, control_flip, control_power, run_trial
from .verdict import INVALID, RETAINED

__all__ = ["FAIL", "INCONCLUSIVE", "PASS", "Campaign", "Cell", "run_campaign"]

PASS = "pass"
FAIL = "fail"
INCONCLUSIVE = "inconclusive"

RECOVERY_SECONDS_OFF = 2.0


@dataclass(frozen=True)
class Cell:
    """All the trials of one reset type; ``loss_bound_95`` bounds the probability of a loss from above."""

    reset: str
    trials: int
    retained: int
    invalid: int

    @property
    def loss_bound_95(self) -> float:
        """At 95 % confidence, from the valid trials alone."""
        valid = self.trials - self.invalid
        return loss_bound(valid, valid - self.retained)

    def as_dict(self) -> dict[str, object]:
        """For the evidence."""
        return {
            "reset": self.reset,
            "trials": self.trials,
            "retained": self.retained,
            "invalid": self.invalid,
            "loss_bound_95": round(self.loss_bound_95, 6),
        }


@dataclass
class Campaign:
    """All that a run found out. ``faults`` are findings outside the trials, such as a missing reservation."""

    resets: Sequence[str]
    planned: int
    controls: list[Control] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    control_trials: list[Trial] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stopped: str | None = None
    doctor: dict[str, object] | None = None
    began: float = field(default_factory=time.time)
    seconds: float = 0.0

    @property
    def cells(self) -> list[Cell]:
        """The trials by reset type."""
        cells = []
        for reset in self.resets:
            trials = [trial for trial in self.trials if trial.reset == reset]
            retained = sum(trial.verdict == RETAINED for trial in trials)
            cells.append(Cell(reset, len(trials), retained, sum(trial.verdict == INVALID for trial in trials)))
        return cells

    @property
    def result(self) -> str:
        """A fault or a loss fails, unless the instrument itself is in doubt; what is not whole proves nothing."""
        if self.faults:
            return FAIL
        if not all(control.ok for control in self.controls):
            return INCONCLUSIVE
        if any(trial.verdict not in (RETAINED, INVALID) for trial in self.trials):
            return FAIL if self.controls else INCONCLUSIVE
        whole = len(self.trials) == self.planned * len(self.resets) and bool(self.controls)
        if self.stopped or not whole or any(trial.verdict == INVALID for trial in self.trials):
            return INCONCLUSIVE
        return PASS

    @property
    def reasons(self) -> list[str]:
        """Why it is not a pass, a line each."""
        why = list(self.faults)
        why += [f"control {control.name} misbehaved: {control.detail}" for control in self.controls if not control.ok]
        why += [f"trial {trial.n}, {trial}" for trial in self.trials if trial.verdict != RETAINED]
        if self.stopped:
            why.append(self.stopped)
        return why


def run_campaign(
    board: PhysbufStrategy, resets: Sequence[ResetType], trials: int, say: Callable[[str], None]
) -> Campaign:
    """Run the controls and ``trials`` trials of each reset type; always returns what was found so far.

    ``say`` is told of each step. SetupError is raised for what keeps the board from being tried at all; an interrupt
    ends the campaign early and is noted in it.
    """
    campaign = Campaign([reset.name for reset in resets], trials)
    start = time.monotonic()
    try:
        _run(campaign, board, resets, say)
    except KeyboardInterrupt:
        campaign.stopped = "interrupted"
    except (BoardError, StrategyError) as error:
        setup = _setup_error(error)
        if setup:
            raise setup from error
        campaign.stopped = _root_cause(error)
    trouble = board.channel.transcript.since(0, "oops")
    if trouble and not campaign.stopped:
        campaign.stopped = f"kernel trouble on the console: {trouble[0].line}"
    campaign.seconds = time.monotonic() - start
    return campaign


def _run(campaign: Campaign, board: PhysbufStrategy, resets: Sequence[ResetType], say: Callable[[str], None]) -> None:
    board.manifest.check_tried()
    say(f"flashing {board.manifest.image} and booting")
    board.transition("ready")
    assert board.hello is not None
    digest = board.manifest.sha256[:12]
    say(f"ready: Linux {board.hello.kernel}, image {digest} flashed, read back and reported by the board")
    if board.channel.transcript.boots != 1:
        raise BoardError(f"{board.channel.transcript.boots} boots before the board was ready the first time")
    campaign.doctor = board.channel.command("doctor")
    campaign.faults = _faults(campaign.doctor)
    if campaign.faults:
        return
    say("control: one flipped byte must be caught")
    campaign.controls.append(control_flip(board))
    say(f"  {_mark(campaign.controls[-1].ok)} {campaign.controls[-1].detail}")
    total = campaign.planned * len(resets)
    for n in range(1, total + 1):
        reset = resets[(n - 1) // campaign.planned]
        trial = run_trial(board, reset, n)
        campaign.trials.append(trial)
        say(f"trial {n}/{total} {trial}  {trial.seconds:.1f} s")
        if trial.verdict == INVALID:
            say("  switching the board off and on after an invalid trial")
            board.power_cycle(RECOVERY_SECONDS_OFF)
    say("control: power off for 5 s must lose the content")
    control, trial = control_power(board)
    campaign.controls.append(control)
    campaign.control_trials.append(trial)
    say(f"  {_mark(control.ok)} {control.detail}")


def _faults(doctor: object) -> list[str]:
    """The doctor's findings that leave nothing to test."""
    if not isinstance(doctor, dict):
        raise BoardError(f"the doctor says nothing sensible: {doctor!r}")
    faults = []
    if not doctor["ok"] and all(region["ok"] for region in doctor["regions"]):
        faults.append("doctor: it is not content, and does not say with which region")
    for region in doctor["regions"]:
        if not region["ok"]:
            step = next(step for step in region["steps"] if step["step"] == region["failed_step"])
            faults.append(f"doctor: {region['name']}: {step['step']}: {step['detail']}; {step['remedy']}")
    return faults


def _setup_error(error: BaseException) -> SetupError | None:
    """labgrid's strategies wrap what happened; a set-up fault stays one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SetupError):
            return cause
        cause = cause.__cause__
    return None


def _root_cause(error: BaseException) -> str:
    """What the board did, in our own words, below labgrid's «broken state»."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, BoardError):
        cause = cause.__cause__
    return str(cause or error) or repr(error)


def _mark(ok: bool) -> str:
    return "ok" if ok else "NOT OK"
