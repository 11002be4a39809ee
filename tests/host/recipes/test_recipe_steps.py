# SPDX-License-Identifier: MIT
"""Running programs: an error is one line with what the program said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from steps import BuildError, run, step


def test_the_output_comes_back(tmp_path: Path) -> None:
    assert run(["sh", "-c", "pwd; cat; echo noise >&2"], cwd=tmp_path) == f"{tmp_path}\n"
    assert run(["sh", "-c", 'echo "$A $PATH"'], env={"A": "b", "PATH": "/bin"}) == "b /bin:/usr/sbin:/sbin\n"


def test_a_failure_has_the_last_lines() -> None:
    with pytest.raises(BuildError) as error:
        run(["sh", "-c", 'for i in 1 2 3 4 5 6 7 8; do echo " line $i" >&2; done; echo out; exit 9'])
    message = str(error.value)
    assert message.startswith("`sh -c for i in")
    assert "\n" not in message
    assert message.endswith("failed with status 9: line 3; line 4; line 5; line 6; line 7; line 8")


def test_a_failure_without_complaint_shows_the_output() -> None:
    with pytest.raises(BuildError, match=r"failed with status 1: it went wrong$"):
        run([sys.executable, "-c", "print('it went wrong'); raise SystemExit(1)"])


def test_a_failure_can_be_shown_by_another_name() -> None:
    with pytest.raises(BuildError, match=r"^`toolchain: make` failed with status 1"):
        run(["false"], shown=["toolchain:", "make"])


def test_a_missing_program() -> None:
    with pytest.raises(BuildError, match=r"^missing tool no-such-program: "):
        run(["no-such-program", "-x"])


def test_a_step_says_what_it_does_and_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    with step("making it"):
        pass
    said = capsys.readouterr().err
    assert said.startswith("  making it ... ")
    assert said.endswith(" s\n")
    with pytest.raises(KeyboardInterrupt), step("making it"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "  making it ... failed\n"
