# SPDX-License-Identifier: MIT
"""The disk image's boot loaders get the arguments in their own language. What they make of it the board tests boot."""

from __future__ import annotations

import re
from pathlib import Path

import disk
import pytest

from physbuf.errors import PhysbufError

ARGUMENTS = "console=ttyS0,115200 panic=1 memmap=16M$0x30000000 memmap=1536K$0x31000000"


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the parts of the image will be; nothing is run."""
    monkeypatch.setattr(disk, "SYSLINUX", tmp_path / "syslinux")
    for name in ("syslinux/mbr/gptmbr.bin", "syslinux/modules/bios/ldlinux.c32", "kernel", "initrd", "rootfs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path / "work/parts"


def assemble(parts: Path, monkeypatch: pytest.MonkeyPatch, arguments: str = ARGUMENTS) -> list[list[str]]:
    commands: list[list[str]] = []
    monkeypatch.setattr(disk, "run", lambda command, **_: commands.append([str(word) for word in command]))
    parts.parent.mkdir()
    kernel, initrd, rootfs = (parts.parents[1] / name for name in ("kernel", "initrd", "rootfs"))
    assert disk.assemble(kernel, initrd, rootfs, arguments, parts.parent) == parts.parent / "images/disk.img"
    return commands


def test_syslinux_gets_them_as_they_are(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assemble(parts, monkeypatch)
    assert f"  APPEND {ARGUMENTS}" in (parts / "syslinux.cfg").read_text().splitlines()


def test_grub_gets_them_with_a_literal_dollar(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assemble(parts, monkeypatch)
    (line,) = re.findall(r"^linux /vmlinuz (.*)$", (parts / "grub.cfg").read_text(), re.MULTILINE)
    assert re.sub(r"\\(.)", r"\1", line) == ARGUMENTS
    assert not re.search(r"(?<!\\)\$", line)


def test_nothing_is_left_to_fill_in(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assemble(parts, monkeypatch)
    for name in ("grub.cfg", "syslinux.cfg"):
        assert "{" not in (parts / name).read_text()


def test_the_parts_are_ours_and_have_no_date(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = assemble(parts, monkeypatch)
    contents = {"vmlinuz": "kernel", "initrd.gz": "initrd", "rootfs.squashfs": "rootfs"}
    assert {name: (parts / name).read_text() for name in contents} == contents
    assert {path.stat().st_mtime for path in parts.iterdir()} == {disk.BEGINNING_OF_FAT}
    assert [command[0] for command in commands] == ["grub-mkimage", "genimage"]
    assert str(parts) in commands[1]


def test_what_a_boot_loader_cannot_say_is_refused(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PhysbufError, match="GRUB cannot hand"):
        assemble(parts, monkeypatch, 'quiet dyndbg="file x +p"')


def test_the_loaders_modules_cover_the_configuration(recipe: Path) -> None:
    """Each command of grub's files is in a module that the image carries."""
    of = {
        "search": "search",
        "configfile": "configfile",
        "set": None,
        "linux": "linux",
        "initrd": "linux",
        "boot": "boot",
    }
    for name in ("grub.cfg", "grub-early.cfg"):
        lines = (recipe / "files/boot" / name).read_text().splitlines()
        for line in (line for line in lines if not line.startswith("#")):
            module = of[line.split()[0]]
            assert module is None or module in disk.GRUB_MODULES, line
