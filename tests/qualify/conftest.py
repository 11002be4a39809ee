# SPDX-License-Identifier: MIT
"""`physbuf-lab qualify` as a user runs it, on images and boards that are wrong on purpose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
BOARDS = TOP / "labgrid/boards"
BUILD = TOP / "recipes/debian/build.py"
QUALIFY = Path(sys.executable).with_name("physbuf-lab")


class Outcome:
    """What a finished qualification left."""

    def __init__(self, done: subprocess.CompletedProcess[str], out: Path) -> None:
        self.status = done.returncode
        self.said = done.stderr
        self.out = out

    @property
    def evidence(self) -> Any:
        """evidence.json."""
        return json.loads((self.out / "evidence.json").read_text())

    @property
    def only_line(self) -> str:
        """The one line that was said; a traceback or a second line fails the test."""
        lines = self.said.strip().splitlines()
        assert len(lines) == 1, self.said
        return lines[0]


def build(out: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the Debian recipe."""
    return subprocess.run(
        [sys.executable, BUILD, "--out", out, *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def image() -> Callable[..., Path]:
    """Build an image that differs from the default one; kept in out/image, so that the next run is quick."""

    def _image(name: str, *options: str) -> Path:
        out = TOP / "out/image" / name
        done = build(out, *options)
        assert done.returncode == 0, done.stderr
        return out

    return _image


@pytest.fixture
def qualify(tmp_path: Path) -> Callable[..., Outcome]:
    """Run a qualification to its end."""

    def _qualify(*options: str | Path, board: str | Path = "qemu-x86_64", **environment: str) -> Outcome:
        out = tmp_path / "out"
        done = subprocess.run(
            [QUALIFY, "qualify", "--board", board, "--trials", "1", "--out", out, *options],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return Outcome(done, out)

    return _qualify


@pytest.fixture
def board_with(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the board's environment with lines replaced."""

    def _board_with(old: str, new: str) -> Path:
        text = (BOARDS / "qemu-x86_64.yaml").read_text()
        assert old in text
        text = text.replace(old, new).replace("../../out", str(TOP / "out"))
        path = tmp_path / "qemu-x86_64-changed.yaml"
        path.write_text(text)
        return path

    return _board_with
