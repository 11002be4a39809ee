# SPDX-License-Identifier: MIT
"""What a board says on its console, kept as it came and read for the lines that prove something."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Event", "Transcript"]

# What a line proves. A kernel prints its version once a boot, so that these lines count the boots.
_MEANINGS = {
    "boot": re.compile(rb"\] Linux version "),
    "ready": re.compile(rb"physbuf-board: ready "),
    "restart": re.compile(rb"reboot: Restarting system"),
    "panic": re.compile(rb"Kernel panic - not syncing"),
    "oops": re.compile(rb"\bOops\b|\bBUG\b|Internal error:|double fault|general protection fault"),
}


@dataclass(frozen=True)
class Event:
    """A line that means something: ``kind`` is a key of _MEANINGS, ``at`` is in monotonic seconds."""

    kind: str
    line: str
    at: float


class Transcript:
    """The console's whole text in a file, and its events in order."""

    def __init__(self, path: Path | None) -> None:
        self.events: list[Event] = []
        self.last_heard = time.monotonic()
        self._file = path.open("ab", buffering=0) if path else None
        self.unfinished = b""  # the line under way, a prompt for instance

    def hear(self, data: bytes) -> list[bytes]:
        """Take what came; returns the lines that are whole now, without their ends."""
        self.last_heard = time.monotonic()
        if self._file:
            self._file.write(data)
        *lines, self.unfinished = (self.unfinished + data).split(b"\n")
        for line in lines:
            for kind, pattern in _MEANINGS.items():
                if pattern.search(line):
                    text = line.decode(errors="replace").strip()
                    self.events.append(Event(kind, text, self.last_heard))
        return lines

    def note(self, text: str) -> None:
        """A line of the lab's own in the file, so that a reader sees what was being done."""
        if self._file:
            self._file.write(f"\n--- lab: {text}\n".encode())

    def mark(self) -> int:
        """A place in the events; ``since(mark)`` gives what came after."""
        return len(self.events)

    def since(self, mark: int, kind: str | None = None) -> list[Event]:
        """The events after a mark, of one kind or all."""
        return [event for event in self.events[mark:] if kind in (None, event.kind)]

    @property
    def boots(self) -> int:
        """How many kernels have started since the lab began to listen."""
        return len(self.since(0, "boot"))

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None
