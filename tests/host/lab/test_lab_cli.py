# SPDX-License-Identifier: MIT
"""The command: what cannot start ends with status 2 and one line, and verdicts become exit statuses."""

from __future__ import annotations

import fcntl
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import physbuf_lab.campaign
from physbuf_lab.campaign import Campaign
from physbuf_lab.cli import main
from physbuf_lab.errors import BoardError, SetupError
from physbuf_lab.resets import RESETS, Proof
from physbuf_lab.trial import Control, Trial

BOARD = "qemu-x86_64"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _restored_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _no_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may come as far as to start an emulator."""

    def run(*_: object) -> Campaign:
        raise AssertionError("the campaign has begun")

    monkeypatch.setattr(physbuf_lab.campaign, "run_campaign", run)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def refused(capsys: Capture, *argv: str | Path, board: str | Path = BOARD) -> str:
    """The one line of a refusal."""
    assert main(["qualify", "--board", str(board), *map(str, argv)]) == 2
    printed, complained = capsys.readouterr()
    assert printed == ""
    (line,) = complained.splitlines()
    return line


@pytest.mark.parametrize("board", ["no-such-board", "./no/such.yaml", "no-such.yaml"])
def test_an_unknown_board(out: Path, capsys: Capture, board: str) -> None:
    line = refused(capsys, "--out", out, board=board)
    assert line.startswith(f"physbuf-lab: no board {board!r}; known: ")
    assert BOARD in line
    assert not out.exists()


@pytest.mark.parametrize("resets", ["sleep", "reboot,", "", "reboot,Panic"])
def test_an_unknown_reset_type(out: Path, capsys: Capture, resets: str) -> None:
    line = refused(capsys, "--out", out, "--resets", resets)
    assert line.startswith("physbuf-lab: unknown reset type ")
    assert repr(resets.split(",")[-1]) in line
    assert "known: reboot, panic, reset-pin" in line
    assert not out.exists()


@pytest.mark.parametrize(
    ("trials", "why"), [("0", "0 trials prove nothing; give at least 1"), ("-3", "-3 trials"), ("x", "'x'")]
)
def test_too_few_trials(out: Path, capsys: Capture, trials: str, why: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["qualify", "--board", BOARD, "--out", str(out), f"--trials={trials}"])
    assert end.value.code == 2
    assert why in capsys.readouterr().err.splitlines()[-1]


def test_a_missing_image(out: Path, capsys: Capture, tmp_path: Path) -> None:
    line = refused(capsys, "--out", out, "--image", tmp_path / "nowhere/disk.img")
    assert f"no manifest at {tmp_path}/nowhere/manifest.json" in line
    assert "make image" in line


def test_an_image_that_is_not_its_manifests(out: Path, capsys: Capture, image: Path) -> None:
    image.write_bytes(b"tampered")
    line = refused(capsys, "--out", out, "--image", image)
    assert str(image) in line
    assert "its manifest says" in line
    assert not (out / "evidence.json").exists()


def test_a_second_campaign_in_the_same_folder(out: Path, capsys: Capture, image: Path) -> None:
    out.mkdir()
    (out / "evidence.json").write_text("of the first one")
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        line = refused(capsys, "--out", out, "--image", image)
    assert line == f"physbuf-lab: another campaign is writing {out}; wait for it, or choose another --out"
    assert (out / "evidence.json").read_text() == "of the first one"


def test_an_out_that_is_no_folder(capsys: Capture, image: Path) -> None:
    assert str(image) in refused(capsys, "--out", image, "--image", image)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("targets: [", "is not a labgrid environment"),
        ("targets:\n  other: {}\n", "has no target 'main' with a PhysbufStrategy"),
        ("targets:\n  main: {}\n", "has no target 'main' with a PhysbufStrategy"),
        ("targets:\n  main:\n    drivers:\n      NoSuchDriver: {}\n", "has no target 'main' with a PhysbufStrategy"),
    ],
)
def test_an_environment_that_describes_no_board(
    out: Path, capsys: Capture, tmp_path: Path, content: str, why: str, image: Path
) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(content)
    line = refused(capsys, "--out", out, "--image", image, board=path)
    assert str(path) in line
    assert why in line


def finished(*verdicts: str, **more: Any) -> Campaign:
    trials = [Trial(n, "reboot", 1, verdict, [], Proof("a", "b")) for n, verdict in enumerate(verdicts, 1)]
    return Campaign(["reboot"], 1, controls=[Control("flip", True, "")], trials=trials, **more)


def qualify(
    monkeypatch: pytest.MonkeyPatch, found: Campaign | BaseException, out: Path, image: Path, *argv: str
) -> int:
    """With a campaign that is over before it began."""

    def run(*arguments: Any) -> Campaign:
        called.append(arguments[1:3])
        assert not list(out.glob("*.json")), "evidence of an earlier campaign is lying about"
        if isinstance(found, BaseException):
            raise found
        return found

    called: list[Any] = []
    monkeypatch.setattr(physbuf_lab.campaign, "run_campaign", run)
    status = main(["qualify", "--board", BOARD, "--out", str(out), "--image", str(image), *argv])
    assert called == [([RESETS["reboot"], RESETS["panic"]], 7)]
    return status


MORE = ("--resets", "reboot,panic,reboot", "--trials", "7")


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (finished("retained"), 0),
        (finished("corrupted"), 1),
        (finished("invalid"), 3),
        (finished("retained", stopped="interrupted"), 130),
        (finished("corrupted", stopped="the board died"), 1),
    ],
)
def test_verdicts_become_exit_statuses(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, out: Path, image: Path, found: Campaign, status: int
) -> None:
    out.mkdir()
    (out / "evidence.json").write_text("of an earlier campaign")
    assert qualify(monkeypatch, found, out, image, *MORE, "--json") == status
    printed, said = capsys.readouterr()
    evidence = json.loads(printed)
    assert evidence == json.loads((out / "evidence.json").read_text())
    assert evidence["board"] == BOARD
    assert evidence["result"] == found.result
    assert said.splitlines()[-1] == f"{found.result}: see {out}/report.html"
    assert set(found.reasons) <= set(said.splitlines())
    names = {"evidence.json", "junit.xml", "report.html", "console.log", ".lock"}
    assert {path.name for path in out.iterdir()} == names
    assert "This board is emulated" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (SetupError("missing tool x"), 2, "physbuf-lab: missing tool x"),
        (OSError(28, "No space left on device", "/some/file"), 2, "physbuf-lab: /some/file: No space left on device"),
        (KeyboardInterrupt(), 130, "physbuf-lab: interrupted before there was anything to report"),
    ],
)
def test_what_stops_a_campaign_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    out: Path,
    image: Path,
    error: BaseException,
    status: int,
    line: str,
) -> None:
    assert qualify(monkeypatch, error, out, image, *MORE) == status
    assert capsys.readouterr().err.splitlines() == [line]
    assert not (out / "evidence.json").exists()


def test_a_failure_that_nobody_foresaw_is_not_hidden_and_no_loss(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], out: Path, image: Path
) -> None:
    assert qualify(monkeypatch, BoardError("x"), out, image, *MORE) == 3
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("physbuf-lab: BoardError: x; this is a fault of physbuf-lab")
    assert not (out / "evidence.json").exists()
