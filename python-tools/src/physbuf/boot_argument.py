# SPDX-License-Identifier: MIT
"""Finds ``memmap=SIZE$BASE`` on the kernel's command line, or what a boot loader made of it; and ``reserve_mem=``."""

from __future__ import annotations

import re

from .regions import RegionSpec
from .reservation import memmap_argument, reserve_mem_argument

__all__ = ["find_fault"]

_SHIFT = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_NUMBER = r"(0[xX][0-9a-fA-F]+|[0-9]+)([kKmMgGtT]?)"
_WHOLE = re.compile(rf"{_NUMBER}(\\*[$@#!]){_NUMBER}")
_NAMED = re.compile(rf"{_NUMBER}:[^:]*:(.*)")
_SIZE_FIRST = re.compile(rf"{_NUMBER}(.*)")
_SIGNS = {"@": "adds the range as RAM", "#": "marks it as ACPI data", "!": "makes it persistent memory (pmem)"}


def find_fault(spec: RegionSpec, cmdline: str) -> tuple[str, str] | None:
    """None if the argument for a region is there and right; else what is wrong, and the remedy."""
    return _find_named(spec, cmdline) if spec.method == "reserve_mem" else _find_memmap(spec, cmdline)


def _find_named(spec: RegionSpec, cmdline: str) -> tuple[str, str] | None:
    wanted = reserve_mem_argument(spec)
    for word in cmdline.split():
        key, _, value = word.strip("\"'").partition("=")
        named = _NAMED.fullmatch(value) if key == "reserve_mem" else None
        if named and named[3] == spec.label:
            size = _bytes(named[1], named[2])
            if size == spec.size:
                return None
            return f"{word} reserves {size:#x} bytes, not {spec.size:#x}", f"set it to {wanted}"
    return _missing(wanted)


def _find_memmap(spec: RegionSpec, cmdline: str) -> tuple[str, str] | None:
    wanted = memmap_argument(spec)
    faults = []
    for word in cmdline.split():
        key, _, value = word.strip("\"'").partition("=")
        if key != "memmap":
            continue
        for one in value.split(","):
            fault = _fault(spec, one)
            if fault is None and "'" not in word:
                return None
            if fault is None:
                fault = "has quotes left in", "take the quotes out where no shell reads the line"
            if fault[0]:
                faults.append((f"{wanted} became memmap={one} in /proc/cmdline, which {fault[0]}", fault[1]))
    return faults[0] if faults else _missing(wanted)


def _missing(wanted: str) -> tuple[str, str]:
    return (
        f"{wanted} is missing from /proc/cmdline",
        "add it to the boot loader's configuration that this boot really used, and reboot",
    )


def _fault(spec: RegionSpec, value: str) -> tuple[str, str] | None:
    """What is wrong with a value; None: nothing; ("", ""): it belongs to another range."""
    whole = _WHOLE.fullmatch(value)
    if whole:
        size, base = _bytes(whole[1], whole[2]), _bytes(whole[4], whole[5])
        if base != spec.base:
            return "", ""
        sign = whole[3]
        if sign.startswith("\\"):
            return (
                "has a backslash left in",
                "write a plain $ there: only grub.cfg and unquoted shell text need it escaped",
            )
        if sign != "$":
            return f"{_SIGNS[sign]}", f"the sign must be $: {memmap_argument(spec)}"
        if size != spec.size:
            return f"reserves {size:#x} bytes, not {spec.size:#x}", f"set it to {memmap_argument(spec)}"
        return None
    first = _SIZE_FIRST.fullmatch(value)
    base_digits = f"{spec.base:x}"
    eaten = (
        "lost its $",
        "escape it: \\$ in grub.cfg, \\\\\\$ in GRUB_CMDLINE_LINUX, single quotes in a shell or U-Boot",
    )
    if first and _bytes(first[1], first[2]) == spec.size and (not first[3] or first[3].lower().endswith(base_digits)):
        return eaten
    if value.lower().endswith(f"0x{base_digits}") or value.lower().endswith(f"x{base_digits}"):
        return eaten
    return "", ""


def _bytes(number: str, unit: str) -> int:
    return int(number, 16 if number[:2].lower() == "0x" else 10) << _SHIFT[unit.lower()]
