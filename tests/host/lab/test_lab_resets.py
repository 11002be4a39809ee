# SPDX-License-Identifier: MIT
"""The proof of a reset: that it happened, once, and was of its type."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_board import PANIC, Bench

from physbuf_lab.resets import RESETS, Proof, ResetType, _missing, perform, power
from physbuf_lab.strategy import Status

GOOD = Proof(boot_id_before="a", boot_id_after="b", boot_count_before=3, boot_count_after=4)
CASES = {
    "reboot": (["restart", "boot", "ready"], ["guest-reset"]),
    "panic": (["panic", "boot", "ready"], ["guest-reset"]),
    "reset-pin": (["boot", "ready"], ["host-qmp-system-reset"]),
    "power(5)": (["boot", "ready"], []),
}


def reset_type(name: str) -> ResetType:
    return power(5) if name == "power(5)" else RESETS[name]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("emulated", [True, False])
def test_a_whole_proof(name: str, emulated: bool) -> None:
    seen, line = CASES[name]
    assert _missing(reset_type(name), replace(GOOD, reset_line=line if emulated else None), seen) == []


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("other", CASES)
def test_no_type_passes_for_another(name: str, other: str) -> None:
    seen, line = CASES[other]
    why = _missing(reset_type(name), replace(GOOD, reset_line=line), seen)
    assert bool(why) == (name != other)


def only(why: list[str]) -> str:
    assert len(why) == 1, why
    return why[0]


def test_the_same_boot_id() -> None:
    proof = replace(GOOD, boot_id_after="a")
    assert only(_missing(RESETS["reboot"], proof, CASES["reboot"][0])) == "the boot id is still a: no reset happened"


@pytest.mark.parametrize(("count", "boots"), [(3, "0 boots"), (5, "2 boots"), (2, "-1 boots")])
def test_not_exactly_one_boot(count: int, boots: str) -> None:
    proof = replace(GOOD, boot_count_after=count)
    assert only(_missing(RESETS["reboot"], proof, CASES["reboot"][0])) == f"{boots} on the console instead of 1"


def test_an_oops() -> None:
    assert only(_missing(RESETS["reboot"], GOOD, ["restart", "oops", "boot"])) == "the kernel oopsed"


@pytest.mark.parametrize(
    ("name", "seen", "shows"),
    [
        ("reboot", ["boot", "ready"], "on the way down the console shows nothing, reboot shows restart"),
        ("reboot", ["panic", "boot"], "on the way down the console shows panic, reboot shows restart"),
        ("reboot", ["restart", "panic", "boot"], "the console shows restart and panic, reboot shows restart"),
        ("panic", ["panic", "panic", "boot"], "the console shows panic and panic, panic shows panic"),
        ("reset-pin", ["panic", "boot"], "the console shows panic, reset-pin shows nothing"),
    ],
)
def test_the_wrong_way_down(name: str, seen: list[str], shows: str) -> None:
    assert shows in only(_missing(RESETS[name], GOOD, seen))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("reboot", ["host-qmp-system-reset"]),
        ("reset-pin", ["guest-reset"]),
        ("panic", []),
        ("power(5)", ["guest-reset"]),
    ],
)
def test_the_wrong_reset_line(name: str, line: list[str]) -> None:
    why = only(_missing(reset_type(name), replace(GOOD, reset_line=line), CASES[name][0]))
    assert why.startswith(f"the reset line felt {line}, expected ")


def test_what_firmware_adds_behind_the_first_reset_does_not_matter() -> None:
    proof = replace(GOOD, reset_line=["host-qmp-system-reset", "guest-reset"])
    assert _missing(RESETS["reset-pin"], proof, CASES["reset-pin"][0]) == []


def test_everything_that_is_missing_is_named() -> None:
    assert len(_missing(RESETS["reboot"], Proof("a", "a", reset_line=["x"]), ["oops"])) == 5


def test_a_proof_as_evidence() -> None:
    assert GOOD.ok
    assert GOOD.as_dict()["ok"] is True
    bad = replace(GOOD, why=["the kernel oopsed"])
    assert not bad.ok
    assert bad.as_dict()["ok"] is False
    assert bad.as_dict()["why"] == ["the kernel oopsed"]


@pytest.mark.parametrize(
    ("name", "console"),
    [("reboot", ["[  9.0] reboot: Restarting system"]), ("panic", [PANIC]), ("reset-pin", []), ("power(5)", [])],
)
def test_performed_on_a_board(bench: Bench, name: str, console: list[str]) -> None:
    bench.strategy.transition(Status.ready)
    proof = perform(reset_type(name), bench.strategy)
    assert proof.why == []
    assert proof.ok
    assert (proof.boot_id_before, proof.boot_id_after) == ("boot-1", "boot-2")
    assert (proof.boot_count_before, proof.boot_count_after) == (1, 2)
    assert proof.console[: len(console)] == console
    assert len(proof.console) == len(console) + 2
    assert proof.reset_line == CASES[name][1]
    assert (proof.seconds_off is not None and proof.seconds_off >= 5) == (name == "power(5)")


def test_each_reset_of_a_session_is_held_against_its_own_cause(bench: Bench) -> None:
    bench.strategy.transition(Status.ready)
    for name in ("reset-pin", "reboot", "panic", "power(5)", "reset-pin"):
        assert perform(reset_type(name), bench.strategy).why == []


def test_a_board_without_that_witness_is_not_asked(bench: Bench) -> None:
    bench.strategy.transition(Status.ready)
    bench.board.reasons = None
    proof = perform(RESETS["reboot"], bench.strategy)
    assert proof.ok
    assert proof.reset_line is None
