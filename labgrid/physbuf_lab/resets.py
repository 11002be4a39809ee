# SPDX-License-Identifier: MIT
"""The reset types: how each is triggered, and what proves that it, and no other, happened.

They are ours: labgrid's ``cycle()`` and ``reset()`` do not say what they do to RAM.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from .strategy import PhysbufStrategy

__all__ = ["RESETS", "Proof", "ResetType", "perform"]

DELAY = "sleep 0.3"  # the reply to the trigger must be out before the board goes


@dataclass
class Proof:
    """Whether the reset happened and was of its type. ``why`` names what is missing; empty means proven."""

    boot_id_before: str
    boot_id_after: str = ""
    boot_count_before: int = 0
    boot_count_after: int = 0
    console: list[str] = field(default_factory=list)
    reset_line: list[str] | None = None
    seconds_off: float | None = None
    seconds: float = 0.0
    why: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all the evidence is there."""
        return not self.why

    def as_dict(self) -> dict[str, object]:
        """For the evidence."""
        return {"ok": self.ok, **asdict(self)}


@dataclass(frozen=True)
class ResetType:
    """A way to reset a board.

    ``console`` lists the kinds of lines that must be seen on the way down, in order; ``reset_line`` is what an emulated
    board must have felt first, None for a board that was off.
    """

    name: str
    keeps_ram: bool
    trigger: Callable[[PhysbufStrategy], float | None]
    console: tuple[str, ...]
    reset_line: str | None = None


def perform(reset: ResetType, board: PhysbufStrategy) -> Proof:
    """Reset a ready board, wait until it is ready again, gather the proof; BoardError when it does not come back."""
    transcript = board.channel.transcript
    assert board.hello is not None
    proof = Proof(boot_id_before=board.hello.boot_id, boot_count_before=transcript.boots)
    reasons_before = _reset_reasons(board)
    mark = transcript.mark()
    transcript.note(f"reset {reset.name}")
    start = time.monotonic()
    proof.seconds_off = reset.trigger(board)
    hello = board.hello if proof.seconds_off is not None else board.await_boot(mark)
    proof.seconds = time.monotonic() - start
    proof.boot_id_after = hello.boot_id
    proof.boot_count_after = transcript.boots
    events = transcript.since(mark)
    proof.console = [event.line for event in events]
    reasons = _reset_reasons(board)
    if reasons is not None and reasons_before is not None:
        proof.reset_line = reasons if proof.seconds_off is not None else reasons[len(reasons_before) :]
    proof.why = _missing(reset, proof, [event.kind for event in events])
    return proof


def _missing(reset: ResetType, proof: Proof, seen: list[str]) -> list[str]:
    why = []
    if proof.boot_id_after == proof.boot_id_before:
        why.append(f"the boot id is still {proof.boot_id_before}: no reset happened")
    booted = proof.boot_count_after - proof.boot_count_before
    if booted != 1:
        why.append(f"{booted} boots on the console instead of 1")
    if "oops" in seen:
        why.append("the kernel oopsed")
    way = tuple(kind for kind in seen if kind in ("restart", "panic"))
    if way != reset.console:
        why.append(f"on the way down the console shows {_words(way)}, {reset.name} shows {_words(reset.console)}")
    # Firmware may reset once more on its way (SeaBIOS does after a warm reset), so the first cause counts.
    expected = [] if reset.reset_line is None else [reset.reset_line]
    if proof.reset_line is not None and proof.reset_line[:1] != expected:
        why.append(f"the reset line felt {proof.reset_line}, expected {expected} first")
    return why


def _words(kinds: tuple[str, ...]) -> str:
    return " and ".join(kinds) or "nothing"


def _reset_reasons(board: PhysbufStrategy) -> list[str] | None:
    """What an emulated board felt since power on; a real one has no such witness."""
    felt = getattr(board.power, "reset_reasons", None)
    return felt() if felt else None


def _reboot(board: PhysbufStrategy) -> None:
    board.channel.program("sh", "-c", f"({DELAY}; reboot) >/dev/null 2>&1 &")


def _panic(board: PhysbufStrategy) -> None:
    board.channel.program("sh", "-c", f"({DELAY}; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")


def _reset_pin(board: PhysbufStrategy) -> None:
    board.power.reset()


def power(seconds_off: float) -> ResetType:
    """The power away for a time; RAM decays."""
    return ResetType(f"power({seconds_off:g})", False, lambda board: board.power_cycle(seconds_off), ())


RESETS = {
    reset.name: reset
    for reset in (
        ResetType("reboot", True, _reboot, ("restart",), "guest-reset"),
        ResetType("panic", True, _panic, ("panic",), "guest-reset"),
        ResetType("reset-pin", True, _reset_pin, (), "host-qmp-system-reset"),
    )
}
