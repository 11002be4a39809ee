# SPDX-License-Identifier: MIT
"""Whether a kernel is content: what it complains of on its console, and what it has lost sight of."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["complaints", "leaks", "still_watches"]

# Found anywhere in a line: user space shares the console and may have begun the line.
_COMPLAINT = re.compile(
    r"\bBUG:? "  # KASAN, page faults, sleeping while atomic, lockups, slab and page state, lockdep's limits
    r"|kernel BUG at "
    r"|\bOops\b"
    r"|\bUBSAN: "
    r"|\bWARNING: "  # WARN_ON, lockdep, RCU
    r"|\bINFO: (?!lockdep is turned off)"  # stalls, hung tasks, older lockdep; what is left out only follows others
    r"|Internal error: "
    r"|general protection fault"
    r"|double fault"
    r"|Kernel panic - not syncing: (?!sysrq triggered crash)"
    r"|DMA-API: (?!preallocated |debugging enabled |dma_debug_entry pool grown )"
    r"|kmemleak: (?!Kernel memory leak detector initialized|Automatic memory scanning thread )"
)
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

_KMEMLEAK = "/sys/kernel/debug/kmemleak"
# A block is reported once it is some seconds old and did not change from one scan to the next.
_SCAN_TWICE = f"""
grep -q ' /sys/kernel/debug ' /proc/mounts || mount -t debugfs debugfs /sys/kernel/debug || exit
[ -e {_KMEMLEAK} ] || exit 3
sleep 6
echo scan >{_KMEMLEAK} && echo scan >{_KMEMLEAK} && cat {_KMEMLEAK}
"""
_NO_KMEMLEAK = 3
SCAN_TIME = 600.0


def complaints(text: str) -> list[str]:
    """The lines of a console or of dmesg with which a kernel says that something is wrong; none for a clean one."""
    lines = (_ESCAPE.sub("", line).strip() for line in text.splitlines())
    return [line for line in lines if _COMPLAINT.search(line)]


def leaks(channel: Any) -> str | None:
    """kmemleak's report after two scans, empty when nothing leaked; None when this kernel has no kmemleak.

    Unload the module first: what only its own variables knew is found then, too.
    """
    done = channel.program("sh", "-c", _SCAN_TWICE, timeout=SCAN_TIME)
    if done["status"] == _NO_KMEMLEAK:
        return None
    assert done["status"] == 0, f"kmemleak could not scan: {done['stderr']}"
    return str(done["stdout"])


def still_watches(channel: Any) -> bool:
    """Whether lockdep is at work: it stops for good at its first finding, at KASAN's, and when its tables are full."""
    done = channel.program("cat", "/proc/lockdep_stats")
    return bool(re.search(r"^ debug_locks: +1$", done["stdout"], re.MULTILINE))
