# SPDX-License-Identifier: MIT
"""What the watchdogs say of the last reset."""

from __future__ import annotations

import os

from .info import read_text

__all__ = ["reset_causes"]

# WDIOF_* of the kernel's <linux/watchdog.h>, those that are a cause of a reset.
_CAUSES = {
    0x01: "the processor was too hot",
    0x02: "a fan failed",
    0x10: "the voltage was too low",
    0x20: "the watchdog fired",
    0x40: "the voltage was too high",
}


def reset_causes(root: str = "/") -> list[str]:
    """A line for each watchdog that tells why the machine was reset. ``root`` is where /sys is."""
    try:
        names = sorted(os.listdir(os.path.join(root, "sys/class/watchdog")))
    except OSError:
        return []
    return [line for name in names if (line := _cause(name, root))]


def _cause(name: str, root: str) -> str:
    text = read_text(root, f"sys/class/watchdog/{name}/bootstatus") or ""
    status = int(text, 0) if text.isdecimal() or text.startswith("0x") else 0
    causes = [cause for bit, cause in _CAUSES.items() if status & bit]
    if not causes:
        return ""
    identity = read_text(root, f"sys/class/watchdog/{name}/identity")
    who = f"{name} ({identity})" if identity else name
    return f"reset cause: {who} says that {' and '.join(causes)} (bootstatus {status:#x})"
