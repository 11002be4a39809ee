# SPDX-License-Identifier: MIT
"""The emulated board as labgrid sees it: a resource and a driver with power, reset line, storage and console.

labgrid's protocols do not say what a cycle or a reset does to RAM, and its own QEMUDriver changed it between versions;
here ``cycle`` and ``off`` lose RAM and ``reset`` keeps it, whatever the version.
"""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.driver.consoleexpectmixin import ConsoleExpectMixin
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol, ResetProtocol
from labgrid.resource import Resource
from pexpect import TIMEOUT

from .emulated.board import Board
from .errors import BoardError, SetupError

__all__ = ["EmulatedBoard", "EmulatedBoardDriver"]

_UNITS = {"K": 10, "M": 20, "G": 30}


@target_factory.reg_resource
@attr.s(eq=False)
class EmulatedBoard(Resource):
    """A board that QEMU emulates.

    Args:
        command (str): QEMU's command line without memory, storage and connections
        ram (str): size of the RAM, with K, M or G
        storage (str): size of the storage that is flashed, with K, M or G
        ram_base (int): the physical address where RAM begins
        wipes_ram (bool): the firmware clears RAM at every reset, a warm one too
    """

    command: str = attr.ib(validator=attr.validators.instance_of(str))
    ram: str = attr.ib(validator=attr.validators.instance_of(str))
    storage: str = attr.ib(validator=attr.validators.instance_of(str))
    ram_base: int = attr.ib(default=0, validator=attr.validators.instance_of(int))
    wipes_ram: bool = attr.ib(default=False, validator=attr.validators.instance_of(bool))


@target_factory.reg_driver
@attr.s(eq=False)
class EmulatedBoardDriver(ConsoleExpectMixin, Driver, ConsoleProtocol, PowerProtocol, ResetProtocol):
    """Power, reset line, storage and console of an :class:`EmulatedBoard`."""

    bindings = {"resource": EmulatedBoard}
    off_time: float = attr.ib(default=2.0, validator=attr.validators.instance_of(float))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.txdelay = None
        self.txchunk = 1
        self._board: Board | None = None

    @property
    def board(self) -> Board:
        """The board on the desk; there is one while the driver is active."""
        if self._board is None:
            raise BoardError("there is no board on the desk: activate its driver first")
        return self._board

    def on_activate(self) -> None:
        """Put a board without power and with an empty storage on the desk."""
        self._board = Board(
            shlex.split(self.resource.command),
            ram_size=_size("ram", self.resource.ram),
            storage_size=_size("storage", self.resource.storage),
            wipes_ram=self.resource.wipes_ram,
            ram_base=self.resource.ram_base,
        )

    def on_deactivate(self) -> None:
        """Power off and clear the desk."""
        if self._board:
            self._board.discard()
        self._board = None

    @Driver.check_active
    def on(self) -> None:
        """Switch the power on; RAM comes up cold."""
        self.board.power_on()

    @Driver.check_active
    def off(self) -> None:
        """Take the power away; RAM is lost."""
        self.board.power_off()

    @Driver.check_active
    def cycle(self) -> None:
        """Off for ``off_time`` seconds, then on; RAM is lost."""
        self.off()
        time.sleep(self.off_time)
        self.on()

    @Driver.check_active
    def get(self) -> bool:
        """Whether there is power."""
        return self.board.is_on

    @Driver.check_active
    def reset(self) -> None:
        """Pull the reset line; RAM is kept."""
        self.board.press_reset()

    @Driver.check_active
    def reset_reasons(self) -> list[str]:
        """Why the board was reset, once for each reset since power on, as the emulator saw it."""
        return [reset.reason for reset in self.board.resets]

    @Driver.check_active
    def flip_ram(self, address: int) -> None:
        """Invert the byte at a physical address, behind the back of whoever runs there."""
        self.board.ram.flip(address)

    @Driver.check_active
    def write_image(self, filename: str) -> str:
        """Write an image to the storage; returns the SHA-256 of what was read back."""
        return self.board.flash(Path(filename))

    def _read(self, size: int = 1, timeout: float = 0.0, max_size: int | None = None) -> bytes:
        data = self.board.read_console(timeout)
        if not data:
            raise TIMEOUT(f"the console was silent for {timeout:.2f} s")
        return data

    def _write(self, data: bytes) -> int:
        self.board.write_console(data)
        return len(data)


def _size(what: str, text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdigit():
        raise SetupError(f"the board's {what} {text!r} is not a number with K, M or G")
    return int(number) << _UNITS[unit]
