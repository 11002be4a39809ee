# SPDX-License-Identifier: MIT
"""Trouble in the middle: the board dies, somebody interrupts, the lab is killed. No hang, no orphan, no claim."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import QUALIFY

PATIENCE = 300.0  # seconds until something that should have happened is given up


class Running:
    """A qualification under way."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.process = subprocess.Popen(
            [QUALIFY, "qualify", "--board", "qemu-x86_64", "--trials", "1", "--out", out],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""

    def wait_until_said(self, text: str) -> None:
        assert self.process.stderr
        while text not in self.said:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line

    def emulators(self) -> list[int]:
        """The emulators that this qualification started."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for path in children for pid in path.read_text().split()]
        return [pid for pid in pids if "qemu-system" in Path(f"/proc/{pid}/cmdline").read_text()]

    def finish(self) -> tuple[int, str]:
        _, rest = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, self.said + rest

    def evidence(self) -> Any:
        return json.loads((self.out / "evidence.json").read_text())


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A qualification whose first trial has its emulator running."""
    qualification = Running(tmp_path / "out")
    qualification.wait_until_said("  ok byte")
    yield qualification
    if qualification.process.poll() is None:
        qualification.process.kill()
        qualification.process.wait()


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still running: {pids}"
        time.sleep(0.05)


def test_the_emulator_is_killed_in_the_middle(running: Running) -> None:
    (emulator,) = running.emulators()
    os.kill(emulator, signal.SIGKILL)
    status, said = running.finish()
    assert status == 3, said
    evidence = running.evidence()
    assert evidence["result"] == "inconclusive"
    assert evidence["trials"][0]["verdict"] == "invalid"
    assert "status -9" in evidence["trials"][0]["why"][0]
    assert [trial["verdict"] for trial in evidence["trials"][1:]] == ["retained", "retained"]
    assert "Traceback" not in said


def test_an_interrupt_leaves_evidence_and_no_emulator(running: Running) -> None:
    emulators = running.emulators()
    running.process.send_signal(signal.SIGINT)
    status, said = running.finish()
    assert status == 130, said
    assert running.evidence()["result"] == "inconclusive"
    assert "interrupted" in running.evidence()["reasons"]
    assert "Traceback" not in said
    wait_until_gone(emulators)


def test_a_killed_lab_leaves_no_emulator(running: Running) -> None:
    emulators = running.emulators()
    assert emulators
    running.process.kill()
    running.process.wait()
    wait_until_gone(emulators)
    assert not (running.out / "evidence.json").exists()
