# SPDX-License-Identifier: MIT
"""The board's RAM as a file: what power, firmware and a stray particle do to it."""

from __future__ import annotations

import os

__all__ = ["Ram"]


class Ram:
    """``size`` bytes of RAM that begin at physical address ``base``, which is the beginning of its file.

    The file lives in memory and has no name, so that nothing is left behind however the lab ends.
    """

    def __init__(self, size: int, base: int = 0) -> None:
        self.size = size
        self.base = base
        self._file: int | None = None

    def power_up(self) -> int:
        """RAM as it comes after power has been away; returns the descriptor of its file."""
        self.drop()
        self._file = os.memfd_create("board-ram")
        os.truncate(self._file, self.size)
        return self._file

    def drop(self) -> None:
        """Power is away: the content is lost."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def wipe(self) -> None:
        """What a firmware does that clears all but the first MiB, which it runs in; the board must stand still."""
        zeros = bytes(1 << 20)
        for offset in range(len(zeros), self.size, len(zeros)):
            os.pwrite(self._powered(), zeros[: self.size - offset], offset)

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes from a physical address, of a running board too."""
        return os.pread(self._powered(), size, self._offset(address, size))

    def flip(self, address: int, mask: int = 0xFF) -> None:
        """Invert the bits of ``mask`` in one byte."""
        before = self.read(address, 1)[0]
        os.pwrite(self._powered(), bytes([before ^ mask]), self._offset(address, 1))

    def _powered(self) -> int:
        if self._file is None:
            raise ValueError("the RAM has no power")
        return self._file

    def _offset(self, address: int, size: int) -> int:
        offset = address - self.base
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ValueError(
                f"{address:#x}+{size:#x} is not in the board's RAM of {self.size:#x} bytes from {self.base:#x} on"
            )
        return offset
