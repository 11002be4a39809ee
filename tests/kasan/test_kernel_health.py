# SPDX-License-Identifier: MIT
"""The kernel stayed clean, and would have said so otherwise; in this order: what provokes findings comes last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kernel_health import complaints, leaks, still_watches

Console = Callable[[], str]
PutModule = Callable[[str], str]

PROVOKE = "/sys/kernel/debug/provoke-crash/DIRECT"


def sh(board: Any, script: str) -> str:
    done = board.channel.program("sh", "-c", script)
    assert done["status"] == 0, f"{script}: {done}"
    return str(done["stdout"])


def test_it_complained_of_nothing(console: Console) -> None:
    assert complaints(console()) == []


def test_it_is_not_tainted(board: Any) -> None:
    """Neither by a finding, nor by a module from outside its own tree."""
    assert sh(board, "cat /proc/sys/kernel/tainted").strip() == "0"


def test_lockdep_is_still_at_work(board: Any) -> None:
    assert still_watches(board.channel)


def test_nothing_leaked(board: Any) -> None:
    sh(board, "for m in physbuf_edu physbuf; do ! grep -q ^$m' ' /proc/modules || rmmod $m || exit; done")
    assert leaks(board.channel) == ""


def test_lockdep_passed_its_own_tests(console: Console) -> None:
    assert "testcases passed!" in console()


@pytest.mark.parametrize(
    ("provoked", "finding"),
    [
        ("WARNING", "WARNING: CPU: "),
        ("ARRAY_BOUNDS", "UBSAN: array-index-out-of-bounds"),
        ("READ_AFTER_FREE", "BUG: KASAN: slab-use-after-free"),
    ],
)
def test_a_fault_would_have_been_found(
    board: Any, console: Console, kernel_module: PutModule, provoked: str, finding: str
) -> None:
    if "lkdtm" not in sh(board, "cat /proc/modules"):
        sh(board, f"insmod {kernel_module('lkdtm')}")
    before = len(console())
    sh(board, f"echo {provoked} >{PROVOKE}")
    assert finding in "\n".join(complaints(console()[before:]))


def test_a_leak_would_have_been_found(board: Any, kernel_module: PutModule) -> None:
    sh(board, f"insmod {kernel_module('kmemleak-test')} && rmmod kmemleak_test")
    assert "unreferenced object" in (leaks(board.channel) or "")
