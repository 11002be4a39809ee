# SPDX-License-Identifier: MIT
"""The kernel's map of physical memory, /proc/iomem."""

from __future__ import annotations

__all__ = ["RESERVED", "SYSTEM_RAM", "Entry", "covered", "overlap", "parse"]

SYSTEM_RAM = "system ram"
RESERVED = "reserved"


class Entry:
    """A range at the top of the tree: the addresses ``start`` .. ``end``, which is the first behind it."""

    __slots__ = ("end", "name", "start")

    def __init__(self, start: int, end: int, name: str) -> None:
        self.start = start
        self.end = end
        self.name = name

    def __str__(self) -> str:
        return f"{self.start:#x}-{self.end - 1:#x}"


def parse(text: str) -> list[Entry]:
    """The top level; what lies in another range is left out. Without the right, all addresses are zero."""
    entries = []
    for line in text.splitlines():
        place, colon, name = line.partition(" : ")
        start, dash, last = place.partition("-")
        if not colon or not dash or line[:1] == " ":
            continue
        try:
            entries.append(Entry(int(start, 16), int(last, 16) + 1, name.strip()))
        except ValueError:
            continue
    return entries


def overlap(entries: list[Entry], start: int, end: int, name: str) -> Entry | None:
    """The first range of a name that shares an address with start .. end."""
    for entry in entries:
        if entry.name.lower() == name and entry.start < end and start < entry.end:
            return entry
    return None


def covered(entries: list[Entry], start: int, end: int, name: str) -> bool:
    """Whether ranges of a name, one or several side by side, hold all of start .. end."""
    for entry in sorted(entries, key=lambda entry: entry.start):
        if entry.name.lower() == name and entry.start <= start < entry.end:
            start = entry.end
    return start >= end
