# SPDX-License-Identifier: MIT
"""The emulated board: power switch, reset line, storage and RAM around one machine."""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ..errors import BoardError, SetupError
from .machine import Machine, Reset
from .ram import Ram

__all__ = ["Board"]

CHUNK = 1 << 20
BANNER = b"Linux version "


class Board:
    """A board on the lab's desk.

    ``command`` starts QEMU without memory, storage and connections; ``ram_size`` and ``storage_size`` are bytes,
    ``ram_base`` is where RAM begins. ``wipes_ram`` makes its firmware clear RAM at every reset. The storage is a file
    without a name in TMPDIR.
    """

    def __init__(
        self, command: Sequence[str], ram_size: int, storage_size: int, wipes_ram: bool = False, ram_base: int = 0
    ) -> None:
        self.ram = Ram(ram_size, ram_base)
        self._storage: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 closed by discard()
        self._command = list(command)
        self._storage_size = storage_size
        self._wipes_ram = wipes_ram
        self._heard = b""
        self._kernel_ran = True
        self._machine: Machine | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is power; a board whose emulator died is off."""
        return self._machine is not None and self._machine.alive

    @property
    def pid(self) -> int | None:
        """The emulator's process."""
        return self._machine.pid if self._machine else None

    @property
    def resets(self) -> list[Reset]:
        """The resets since power on."""
        return list(self._machine.resets) if self._machine else []

    def power_on(self) -> None:
        """Cold RAM, then power; nothing happens when it is on."""
        if self.is_on:
            return
        self.power_off()
        ram = self.ram.power_up()
        self._machine = Machine(self._with_devices(ram), [ram, self._storage.fileno()], self._at_reset)

    def power_off(self) -> None:
        """At once, in the middle of a store if need be; RAM is lost."""
        if self._machine:
            self._machine.kill()
            self._machine = None
        self.ram.drop()

    def press_reset(self) -> None:
        """Pull the reset line of a running board; RAM is kept."""
        self._running().press_reset()

    def flash(self, image: Path) -> str:
        """Write an image to the start of the storage, read it back; returns the SHA-256 of what is there now."""
        if self.is_on:
            raise BoardError("the storage cannot be written while the board is on")
        size = image.stat().st_size
        if size > self._storage_size:
            raise SetupError(f"{image} has {size} bytes, the board's storage {self._storage_size}")
        try:
            with image.open("rb") as source:
                self._storage.truncate(0)
                self._storage.seek(0)
                shutil.copyfileobj(source, self._storage, CHUNK)
                self._storage.truncate(self._storage_size)
                os.fsync(self._storage.fileno())
        except OSError as error:
            raise SetupError(
                f"cannot write {image} to the board's storage in {tempfile.gettempdir()}: {error.strerror}; "
                "free some space or set TMPDIR to a larger disk"
            ) from error
        return self._read_back(size)

    def _read_back(self, size: int) -> str:
        digest = hashlib.sha256()
        os.posix_fadvise(self._storage.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self._storage.seek(0)
        while size:
            chunk = self._storage.read(min(CHUNK, size))
            if not chunk:
                raise BoardError(f"the storage ends {size} bytes early")
            digest.update(chunk)
            size -= len(chunk)
        return digest.hexdigest()

    def discard(self) -> None:
        """Off the desk, with all it held."""
        self.power_off()
        self._storage.close()

    def read_console(self, timeout: float) -> bytes:
        """What the board says, or b"" after ``timeout`` seconds of silence; BoardError once it is dead."""
        console = self._running().console
        ready, _, _ = select.select([console], [], [], timeout)
        if not ready:
            return b""
        try:
            data = console.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise BoardError(self._machine.why_dead() if self._machine else "the board has no power")
        self._listen(data)
        return data

    def write_console(self, data: bytes) -> None:
        """Type at the board."""
        try:
            self._running().console.sendall(data)
        except OSError as error:
            raise BoardError(f"the console takes no input: {error}") from error

    def _running(self) -> Machine:
        if not self._machine:
            raise BoardError("the board has no power")
        return self._machine

    def _at_reset(self) -> None:
        """The emulated firmware may reset again before it starts a kernel: it wipes at the first of these only."""
        if self._wipes_ram and self._kernel_ran:
            self._kernel_ran = False
            self.ram.wipe()

    def _listen(self, data: bytes) -> None:
        self._heard = self._heard[-len(BANNER) :] + data
        if BANNER in self._heard:
            self._kernel_ran = True

    def _with_devices(self, ram: int) -> list[str]:
        storage = self._storage.fileno()
        return [
            *self._command,
            "-object", f"memory-backend-file,id=ram,size={self.ram.size},share=on,mem-path=/proc/self/fd/{ram}",
            "-m", f"{self.ram.size >> 20}M",
            "-machine", "memory-backend=ram",
            "-drive", f"file=/proc/self/fd/{storage},if=none,id=storage,format=raw",
            "-device", "virtio-blk-pci,drive=storage",
        ]  # fmt: skip
