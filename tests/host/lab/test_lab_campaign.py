# SPDX-License-Identifier: MIT
"""A campaign: what its findings amount to, and how it goes on when a board misbehaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_board import Bench, FakeBoard, declared, healthy, make_image
from labgrid.strategy import StrategyError

from physbuf.regions import parse_regions
from physbuf_lab.campaign import Campaign, Cell, run_campaign
from physbuf_lab.errors import BoardError, SetupError
from physbuf_lab.resets import RESETS
from physbuf_lab.statistics import loss_bound
from physbuf_lab.trial import Control, Trial

GOOD = Control("flip", True, "caught")
BAD = Control("power(5)", False, "nothing was lost")
ALL = [RESETS[name] for name in ("reboot", "panic", "reset-pin")]


def trials(*verdicts: str, reset: str = "reboot") -> list[Trial]:
    return [Trial(n, reset, 1, verdict) for n, verdict in enumerate(verdicts, 1)]


def campaign(*verdicts: str, controls: list[Control] | None = None, planned: int = 2, **more: object) -> Campaign:
    controls = [GOOD] if controls is None else controls
    return Campaign(["reboot"], planned, controls=controls, trials=trials(*verdicts), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "result"),
    [
        (campaign("retained", "retained"), "pass"),
        (campaign("retained", "corrupted"), "fail"),
        (campaign("retained", "unreadable"), "fail"),
        (campaign("retained", "invalid"), "inconclusive"),
        (campaign("invalid", "corrupted"), "fail"),  # a loss is one, whatever else went wrong
        (campaign("retained"), "inconclusive"),
        (campaign("corrupted"), "fail"),
        (campaign(), "inconclusive"),
        (campaign("retained", "retained", controls=[]), "inconclusive"),
        (campaign("retained", "corrupted", controls=[]), "inconclusive"),
        (campaign("retained", "retained", controls=[GOOD, BAD]), "inconclusive"),
        (campaign("corrupted", "corrupted", controls=[GOOD, BAD]), "inconclusive"),
        (campaign("retained", "retained", stopped="interrupted"), "inconclusive"),
        (campaign("corrupted", stopped="interrupted"), "fail"),
        (campaign(faults=["doctor: no reservation"], controls=[]), "fail"),
        (campaign("retained", "retained", faults=["x"], controls=[BAD], stopped="interrupted"), "fail"),
        (campaign("retained", "retained", "retained"), "inconclusive"),
        (campaign(planned=0, controls=[]), "inconclusive"),
    ],
)
def test_what_findings_amount_to(found: Campaign, result: str) -> None:
    assert found.result == result
    assert bool(found.reasons) or result != "fail"


def test_one_reset_type_too_few_is_not_whole() -> None:
    found = Campaign(["reboot", "panic"], 1, controls=[GOOD], trials=trials("retained"))
    assert found.result == "inconclusive"
    found.trials += trials("retained", reset="panic")
    assert found.result == "pass"


def test_the_reasons_name_everything_that_is_not_well() -> None:
    found = campaign("retained", "invalid", controls=[GOOD, BAD], faults=["doctor: x"], stopped="interrupted")
    found.trials[1].why = ["2 boots"]
    assert found.reasons == [
        "doctor: x",
        "control power(5) misbehaved: nothing was lost",
        "trial 2, reboot: invalid (2 boots)",
        "interrupted",
    ]
    assert campaign("retained", "retained").reasons == []


def test_cells_count_and_bound_by_the_valid_trials() -> None:
    found = Campaign(
        ["reboot", "panic", "reset-pin"],
        3,
        trials=[
            *trials("retained", "invalid", "retained"),
            *trials("corrupted", "retained", "unreadable", reset="panic"),
        ],
    )
    assert found.cells == [Cell("reboot", 3, 2, 1), Cell("panic", 3, 1, 0), Cell("reset-pin", 0, 0, 0)]
    assert [cell.loss_bound_95 for cell in found.cells] == [loss_bound(2, 0), loss_bound(3, 2), 1.0]
    assert Cell("reboot", 59, 59, 0).as_dict() == {
        "reset": "reboot", "trials": 59, "retained": 59, "invalid": 0, "loss_bound_95": 0.049508,
    }  # fmt: skip


def run(bench: Bench, count: int = 2) -> tuple[Campaign, list[str]]:
    said: list[str] = []
    return run_campaign(bench.strategy, ALL, count, said.append), said


def test_all_well(bench: Bench) -> None:
    found, said = run(bench)
    assert (found.result, found.reasons, found.stopped) == ("pass", [], None)
    assert [(control.name, control.ok) for control in found.controls] == [("flip", True), ("power(5)", True)]
    assert [(trial.n, trial.reset, trial.verdict) for trial in found.trials] == [
        (n, reset, "retained") for n, reset in enumerate(["reboot"] * 2 + ["panic"] * 2 + ["reset-pin"] * 2, 1)
    ]
    assert all(trial.proof is not None and trial.proof.ok for trial in found.trials)
    assert [trial.verdict for trial in found.control_trials] == ["unreadable"]
    history = ["off", "on", *["reboot"] * 2, *["panic"] * 2, *["reset-pin"] * 2, "off", "on"]
    assert bench.board.history == history
    assert len({trial.seed for trial in found.trials}) == 6
    assert found.seconds > 0
    assert any("trial 6/6 reset-pin: retained" in line for line in said)


def use_regions(bench: Bench, folder: Path, text: str) -> None:
    """Another image; the fake board has no RAM for regions it does not know, so that touching one fails."""
    regions = parse_regions(text)
    bench.strategy.use_image(make_image(folder, regions))
    bench.board.manifest = json.dumps(declared(regions))
    bench.board.doctor = healthy(regions)


def test_only_what_survives_is_tried(bench: Bench, tmp_path: Path) -> None:
    words = "log@0x30000000+64K legacy@reserve_mem:legacy+8K boots@0x31180000+4K,role=state frames@dma+64K"
    use_regions(bench, tmp_path / "other", words)
    found, _ = run(bench, 1)
    assert (found.result, found.reasons) == ("pass", [])
    assert {region.region for trial in found.trials for region in trial.regions} == {"log", "legacy"}


def test_nothing_to_try_is_a_fault_of_the_setup(bench: Bench, tmp_path: Path) -> None:
    use_regions(bench, tmp_path / "other", "boots@0x31180000+4K,role=state frames@dma+64K")
    with pytest.raises(SetupError, match="declares no reserved region for trials"):
        run(bench)
    assert bench.board.history == []


def test_a_fault_that_the_doctor_finds_ends_it_before_any_trial(bench: Bench) -> None:
    doctor = healthy()
    doctor["regions"][1] = {
        "name": "legacy",
        "ok": False,
        "failed_step": "boot argument",
        "steps": [
            {"step": "manifest", "ok": True, "detail": "declared", "remedy": None},
            {
                "step": "boot argument",
                "ok": False,
                "detail": "memmap=8K$0x31000000 is missing",
                "remedy": "put it there",
            },
        ],
    }
    bench.board.doctor = doctor
    found, _ = run(bench)
    assert found.result == "fail"
    assert found.faults == ["doctor: legacy: boot argument: memmap=8K$0x31000000 is missing; put it there"]
    assert (found.trials, found.controls) == ([], [])
    assert found.doctor == doctor


def test_a_doctor_that_talks_nonsense(bench: Bench) -> None:
    bench.board.doctor = "well"
    found, _ = run(bench)
    assert found.result == "inconclusive"
    assert found.stopped == "the doctor says nothing sensible: 'well'"


@pytest.mark.parametrize("damage", ["nothing", "another byte", "one more byte"])
def test_a_flip_that_is_not_seen_for_what_it_is(bench: Bench, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flip = bench.board.flip_ram

    def flipped(address: int) -> None:
        if damage != "nothing":
            flip(address ^ 1)
        if damage == "one more byte":
            flip(address)

    monkeypatch.setattr(bench.board, "flip_ram", flipped)
    found, _ = run(bench, 1)
    assert found.result == "inconclusive"
    assert [(control.name, control.ok) for control in found.controls] == [("flip", False), ("power(5)", True)]
    assert [trial.verdict for trial in found.trials] == ["retained"] * 3
    assert "control flip misbehaved" in found.reasons[0]


def test_a_power_cycle_that_loses_nothing(bench: Bench) -> None:
    bench.board.off_keeps_ram = True
    found, _ = run(bench, 1)
    assert found.result == "inconclusive"
    assert [(control.name, control.ok) for control in found.controls] == [("flip", True), ("power(5)", False)]


def lose_one_byte(board: FakeBoard) -> None:
    board.ram["legacy"][77] ^= 0x10


def wipe(board: FakeBoard) -> None:
    for content in board.ram.values():
        content[:] = bytes(len(content))


def show_one_for_the_other(board: FakeBoard) -> None:
    board.ram["legacy"][:] = board.ram["log"][: len(board.ram["legacy"])]


@pytest.mark.parametrize(
    ("damage", "verdict"), [(lose_one_byte, "corrupted"), (wipe, "unreadable"), (show_one_for_the_other, "unreadable")]
)
def test_a_loss_fails(bench: Bench, damage: Callable[[FakeBoard], None], verdict: str) -> None:
    bench.board.on_reset = damage
    found, _ = run(bench, 1)
    assert found.result == "fail"
    assert [trial.verdict for trial in found.trials] == [verdict] * 3
    assert found.trials[0].as_dict()["verdict"] == verdict
    if damage is lose_one_byte:
        assert [(region.verdict, region.first_offset) for region in found.trials[0].regions] == [
            ("retained", None),
            ("corrupted", 77),
        ]


def once(do: Callable[[FakeBoard], None]) -> Callable[[FakeBoard], None]:
    done: list[bool] = []

    def at_reset(board: FakeBoard) -> None:
        if not done:
            done.append(True)
            do(board)

    return at_reset


def oops(board: FakeBoard) -> None:
    board.say("[  9.1] Oops: 0000 [#1] SMP")


def two_boots(board: FakeBoard) -> None:
    board.boot()


@pytest.mark.parametrize(
    ("trouble", "why"), [(oops, "the kernel oopsed"), (two_boots, "2 boots on the console instead of 1")]
)
def test_an_invalid_trial_is_followed_by_a_power_cycle(
    bench: Bench, trouble: Callable[[FakeBoard], None], why: str
) -> None:
    bench.board.on_reset = once(trouble)
    found, said = run(bench)
    assert found.result == "inconclusive"
    assert [trial.verdict for trial in found.trials] == ["invalid", *["retained"] * 5]
    assert found.trials[0].why[0] == why
    assert bench.board.history[:6] == ["off", "on", "reboot", "off", "on", "reboot"]
    assert any("off and on after an invalid trial" in line for line in said)


def test_trouble_before_the_reset_counts_too(bench: Bench) -> None:
    asked: list[str] = []

    def on_request(request: dict[str, list[str]]) -> None:
        if request.get("argv", [""])[0] == "fill":
            asked.append("fill")
            if len(asked) == 3:  # the first two are the control's
                bench.board.say("[  5.0] BUG: unable to handle page fault")

    bench.board.on_request = on_request
    found, _ = run(bench, 1)
    assert [trial.verdict for trial in found.trials] == ["invalid", "retained", "retained"]
    assert found.trials[0].why == ["kernel trouble on the console: [  5.0] BUG: unable to handle page fault"]


def test_a_boot_while_the_content_is_looked_at_is_invalid(bench: Bench) -> None:
    requests: list[str] = [""]

    def on_request(request: dict[str, list[str]]) -> None:
        requests.append(request.get("argv", [""])[0])
        if bench.board.history[-1] == "reboot" and requests.count("fill") == 4 and len(set(requests[-2:])) == 2:
            bench.board.say("[    0.000000] Linux version 6.12.1-test")

    bench.board.on_request = on_request
    found, _ = run(bench, 1)
    assert found.trials[0].verdict == "invalid"
    assert found.trials[0].why == ["2 boots in one trial: somebody else reset the board"]


def test_a_power_control_without_proof_does_not_count(bench: Bench) -> None:
    """The content is lost, but by what?"""

    def on_request(request: dict[str, list[str]]) -> None:
        if len(bench.board.history) > 5 and request.get("argv", [""])[0] == "digest":
            bench.board.say("[  5.0] BUG: unable to handle page fault")

    bench.board.on_request = on_request
    found, _ = run(bench, 1)
    assert found.control_trials[0].verdict == "invalid"
    assert all(region.verdict == "unreadable" for region in found.control_trials[0].regions)
    assert not found.controls[-1].ok
    assert found.result == "inconclusive"


def test_a_reset_of_the_wrong_kind_is_invalid(bench: Bench) -> None:
    bench.board.way_down["panic"] = bench.board.way_down["reboot"]
    found, _ = run(bench, 1)
    assert [trial.verdict for trial in found.trials] == ["retained", "invalid", "retained"]


def test_a_write_that_does_not_arrive_is_invalid(bench: Bench) -> None:
    requests: list[str] = [""]

    def on_request(request: dict[str, list[str]]) -> None:
        requests.append(request.get("argv", [""])[0])
        if bench.board.history[-1] == "reboot" and requests[-2:] == ["fill", "digest"]:
            bench.board.ram["log"][0] ^= 1

    bench.board.on_request = on_request
    found, _ = run(bench)
    assert found.trials[1].verdict == "invalid"
    assert found.trials[1].why == ["log: what was written does not read back"]


def test_a_board_that_comes_back_by_power_only(bench: Bench) -> None:
    def stay_down(board: FakeBoard) -> None:
        board.reset_ends_in_boot = len(board.history) != 3  # the first reset

    bench.board.on_reset = stay_down
    found, _ = run(bench, 1)
    assert [trial.verdict for trial in found.trials] == ["invalid", "retained", "retained"]
    assert found.trials[0].why == ["no kernel has started within 120 s"]
    assert found.result == "inconclusive"
    assert found.stopped is None


def test_a_board_that_never_comes_back_ends_the_campaign(bench: Bench) -> None:
    def die(board: FakeBoard) -> None:
        board.reset_ends_in_boot = board.boots_at_power_on = False

    bench.board.on_reset = die
    found, _ = run(bench)
    assert found.result == "inconclusive"
    assert [trial.verdict for trial in found.trials] == ["invalid"]
    assert found.stopped == "no kernel has started within 120 s"
    assert found.controls == [found.controls[0]]
    assert found.seconds > 240


def test_a_board_that_never_starts(bench: Bench) -> None:
    bench.board.boots_at_power_on = False
    found, _ = run(bench)
    assert (found.result, found.stopped) == ("inconclusive", "no kernel has started within 120 s")
    assert (found.trials, found.controls) == ([], [])


@pytest.mark.parametrize("after", ["reset-pin", "reboot", "on"])
def test_an_interrupt_keeps_what_was_found(bench: Bench, after: str) -> None:
    def on_request(_: object) -> None:
        if bench.board.history[-1] == after:
            raise KeyboardInterrupt

    bench.board.on_request = on_request
    found, _ = run(bench)
    assert found.stopped == "interrupted"
    assert found.reasons[-1] == "interrupted"
    assert found.result == "inconclusive"
    assert len(found.trials) == {"on": 0, "reboot": 0, "reset-pin": 4}[after]
    assert all(trial.verdict == "retained" for trial in found.trials)


def test_a_set_up_fault_stays_one_inside_labgrids_wrapping(bench: Bench) -> None:
    bench.strategy.manifest.image.write_bytes(b"other")
    with pytest.raises(SetupError, match="its manifest says") as error:
        run(bench)
    assert isinstance(error.value.__cause__, StrategyError)
    with pytest.raises(SetupError, match="its manifest says"):  # and when it is tried again
        run(bench)


def test_a_set_up_fault_in_the_middle(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def power(_: object) -> None:
        raise SetupError("missing tool qemu")

    bench.board.on_reset = lambda board: monkeypatch.setattr(board, "on", lambda: power(board))
    with pytest.raises(SetupError, match="missing tool qemu"):
        run(bench)


def test_an_error_of_the_board_is_named_without_labgrids_wrapping(bench: Bench) -> None:
    def on_request(_: object) -> None:
        raise BoardError("the emulator ended with status -9")

    bench.board.on_request = on_request
    found, _ = run(bench)
    assert found.stopped == "the emulator ended with status -9"
