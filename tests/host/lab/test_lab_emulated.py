# SPDX-License-Identifier: MIT
"""The emulated board as far as it goes without an emulator: storage, sizes, and a machine that cannot start."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from labgrid import Target
from physbuf_lab.drivers import EmulatedBoard, EmulatedBoardDriver
from physbuf_lab.emulated.board import Board
from physbuf_lab.errors import BoardError, SetupError

STORAGE = 3 << 20


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board(["no-such-emulator", "-x"], 1 << 20, STORAGE)
    yield board
    board.discard()


def test_what_is_flashed_is_read_back(board: Board, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    for content in (b"long" * 500_000, b"short", b""):
        image.write_bytes(content)
        assert board.flash(image) == hashlib.sha256(content).hexdigest()
        board._storage.seek(0)
        assert board._storage.read(STORAGE + 1) == content + bytes(STORAGE - len(content))


def test_what_is_read_back_is_what_is_there(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"image")
    monkeypatch.setattr(shutil, "copyfileobj", lambda source, to, size: to.write(b"imagf"))
    assert board.flash(image) == hashlib.sha256(b"imagf").hexdigest()


def test_an_image_that_is_too_large(board: Board, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(STORAGE + 1))
    with pytest.raises(SetupError, match=f"{image} has {STORAGE + 1} bytes, the board's storage {STORAGE}"):
        board.flash(image)


def test_no_space_for_the_storage(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"image")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(SetupError, match="No space left on device; free some space or set TMPDIR"):
        board.flash(image)


def test_a_board_without_power(board: Board) -> None:
    assert not board.is_on
    assert board.pid is None
    assert board.resets == []
    for do in (board.press_reset, lambda: board.read_console(0), lambda: board.write_console(b"x")):
        with pytest.raises(BoardError, match="the board has no power"):
            do()
    board.power_off()


def test_no_emulator(board: Board) -> None:
    with pytest.raises(SetupError, match=r"^missing tool no-such-emulator; install it with: apt-get install"):
        board.power_on()
    assert not board.is_on


@pytest.mark.parametrize(
    ("command", "package"), [("qemu-system-x86_64", "qemu-system-x86"), ("qemu-system-aarch64", "qemu-system-arm")]
)
def test_a_missing_emulator_is_named_with_its_package(
    command: str, package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    board = Board([command], 1 << 20, STORAGE)
    with pytest.raises(SetupError, match=f"^missing tool {command}; install it with: apt-get install {package}$"):
        board.power_on()
    board.discard()


@pytest.mark.parametrize("size", ["", "1", "M", "1.5M", "-1M", "1MB", "1T", "0x10M"])
@pytest.mark.parametrize("what", ["ram", "storage"])
def test_a_size_that_is_none(what: str, size: str) -> None:
    target = Target("main")
    EmulatedBoard(target, None, command="x", **{"ram": "1M", "storage": "1M", what: size})
    driver = EmulatedBoardDriver(target, None)
    with pytest.raises(SetupError, match=f"the board's {what} '{size}' is not a number with K, M or G"):
        target.activate(driver)


def test_the_driver_makes_a_board_of_that_size() -> None:
    target = Target("main")
    EmulatedBoard(
        target, None, command="emulator -cpu 'a b'", ram="2M", ram_base=1 << 30, storage="512K", wipes_ram=True
    )
    driver = EmulatedBoardDriver(target, None)
    target.activate(driver)
    board = driver.board
    assert (board.ram.size, board.ram.base) == (2 << 20, 1 << 30)
    assert (board._command, board._storage_size, board._wipes_ram) == (["emulator", "-cpu", "a b"], 512 << 10, True)
    assert driver.get() is False
    target.deactivate(driver)
    with pytest.raises(BoardError, match="activate its driver"):
        _ = driver.board
