# SPDX-License-Identifier: MIT
"""What counts as a kernel's complaint, on lines as Linux 6.12 and others print them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from kernel_health import complaints, leaks, still_watches

COMPLAINTS = [
    "BUG: KASAN: slab-use-after-free in physbuf_release+0x4c/0x90 [physbuf]",
    "BUG: KASAN: vmalloc-out-of-bounds in memcpy_fromio+0x7f/0x100",
    "Oops: general protection fault, probably for non-canonical address 0xdffffc0000000001: 0000 [#1] SMP KASAN",
    "BUG: unable to handle page fault for address: ffffc90000a1b000",
    "BUG: kernel NULL pointer dereference, address: 0000000000000008",
    "Oops: 0002 [#1] PREEMPT SMP KASAN NOPTI",
    "Internal error: Oops: 0000000096000046 [#1] PREEMPT SMP",
    "kernel BUG at mm/usercopy.c:102!",
    "UBSAN: array-index-out-of-bounds in drivers/misc/physbuf/parse.c:88:12",
    "UBSAN: shift-out-of-bounds in drivers/misc/physbuf/regs.c:60:9",
    "WARNING: CPU: 1 PID: 231 at mm/vmalloc.c:3370 vfree+0x2e1/0x340",
    "WARNING: possible circular locking dependency detected",
    "WARNING: possible recursive locking detected",
    "WARNING: inconsistent lock state",
    "WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected",
    "WARNING: lock held when returning to user space!",
    "WARNING: suspicious RCU usage",
    "INFO: possible circular locking dependency detected",
    "INFO: trying to register non-static key.",
    "BUG: MAX_LOCKDEP_ENTRIES too low!",
    "BUG: sleeping function called from invalid context at mm/page_alloc.c:4767",
    "BUG: scheduling while atomic: hostile/514/0x00000002",
    "INFO: task hostile:514 blocked for more than 120 seconds.",
    "rcu: INFO: rcu_preempt self-detected stall on CPU",
    "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [hostile:514]",
    "BUG: Bad page state in process hostile  pfn:12345",
    "BUG: Bad rss-counter state mm:00000000f2d67434 type:MM_FILEPAGES val:1",
    "BUG kmalloc-64 (Not tainted): Left Redzone overwritten",
    "DMA-API: physbuf physbuf.0: device driver frees DMA memory with different size [map size=8192] [unmap size=4096]",
    "DMA-API: exceeded 7 overlapping mappings of cacheline 0x0000000000123456",
    "kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
    "kmemleak: Kernel memory leak detector disabled",
    "Kernel panic - not syncing: Fatal exception in interrupt",
    "traps: PANIC: double fault, error_code: 0x0",
]
CONTENT = [
    "physbuf: log: [mem 0x30000000-0x30ffffff], kind reserved, cache wb",
    "physbuf: ram: [mem 0x20000000-0x200fffff] is System RAM, the kernel owns it; reserve it with the boot argument",
    "DMA-API: preallocated 65536 debug entries",
    "DMA-API: debugging enabled by kernel config",
    "kmemleak: Kernel memory leak detector initialized (mem pool available: 14553)",
    "kasan: KernelAddressSanitizer initialized",
    "rcu: \tRCU lockdep checking is enabled.",
    "Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar",
    "hrtimer: interrupt took 33520308 ns",
    "Kernel panic - not syncing: sysrq triggered crash",
    "reboot: Restarting system",
]


def on_console(line: str) -> str:
    return f"[   88.234493] {line}"


@pytest.mark.parametrize("line", COMPLAINTS)
def test_a_complaint(line: str) -> None:
    text = "\n".join([*map(on_console, CONTENT), on_console(line), *map(on_console, CONTENT)])
    assert complaints(text) == [on_console(line)]


@pytest.mark.parametrize("line", CONTENT)
def test_no_complaint(line: str) -> None:
    assert complaints(on_console(line)) == []


def test_user_space_shares_the_line() -> None:
    assert complaints("~ # exec physb\x1b[6n[   12.345678] BUG: KASAN: use-after-free in f+0x1/0x2\r\n") == [
        "~ # exec physb[   12.345678] BUG: KASAN: use-after-free in f+0x1/0x2"
    ]


class Board:
    """Answers every program alike."""

    def __init__(self, status: int, stdout: str = "", stderr: str = "") -> None:
        self._done = {"status": status, "stdout": stdout, "stderr": stderr}

    def program(self, *argv: str, timeout: float = 60.0) -> dict[str, Any]:
        return self._done


REPORT = 'unreferenced object 0xffff888004c6d400 (size 256):\n  comm "insmod", pid 231, jiffies 4294710144\n'


def test_leaks() -> None:
    assert leaks(Board(0, REPORT)) == REPORT
    assert leaks(Board(0)) == ""
    assert leaks(Board(3)) is None


def test_a_scan_that_failed_is_not_clean() -> None:
    with pytest.raises(AssertionError, match="Device or resource busy"):
        leaks(Board(1, stderr="sh: write error: Device or resource busy"))


def test_lockdep() -> None:
    assert still_watches(Board(0, " max bfs queue depth:  116\n debug_locks:                             1\n"))
    assert not still_watches(Board(0, " debug_locks:                             0\n"))
    assert not still_watches(Board(1, "", "cat: can't open '/proc/lockdep_stats'"))
