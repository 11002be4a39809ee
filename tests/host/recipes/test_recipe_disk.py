# SPDX-License-Identifier: MIT
"""The disk image's boot loaders get the arguments in their own language. What they make of it the board tests boot."""

from __future__ import annotations

import re
from pathlib import Path

import disk
import pc
import pytest
import uboot
from architecture import AMD64, ARM64, Architecture

from physbuf.errors import PhysbufError
from physbuf.regions import parse_regions
from physbuf.reservation import uboot_script

GIVEN = "console=ttyS0,115200 panic=1"
REGIONS = parse_regions("log@0x30000000+16M legacy@0x31000000+1536K")
ARGUMENTS = f"{GIVEN} memmap=16M$0x30000000 memmap=1536K$0x31000000"
IN_TREE = parse_regions("log@0x70000000+16M,method=dt legacy@0x71000000+1536K,method=dt oops@reserve_mem:oops+1M")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the parts of the image will be; nothing is run."""
    monkeypatch.setattr(pc, "SYSLINUX", tmp_path / "syslinux")
    for name in ("syslinux/mbr/gptmbr.bin", "syslinux/modules/bios/ldlinux.c32", "kernel", "initrd", "rootfs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path / "work/parts"


def assemble(
    parts: Path, monkeypatch: pytest.MonkeyPatch, architecture: Architecture = AMD64
) -> list[tuple[list[str], dict[str, str]]]:
    """The programs that are run, each with its environment."""
    commands: list[tuple[list[str], dict[str, str]]] = []
    for module in (disk, pc, uboot):
        monkeypatch.setattr(module, "run", lambda command, env: commands.append(([str(word) for word in command], env)))
    parts.parent.mkdir()
    kernel, initrd, rootfs = (parts.parents[1] / name for name in ("kernel", "initrd", "rootfs"))
    regions = REGIONS if architecture is AMD64 else IN_TREE
    configuration = disk.loaders(architecture).configuration(GIVEN, regions)
    image = disk.assemble(architecture, kernel, initrd, rootfs, configuration, parts.parent)
    assert image == parts.parent / "images/disk.img"
    return commands


def test_syslinux_gets_them_as_they_are() -> None:
    assert f"  APPEND {ARGUMENTS}" in pc.configuration(GIVEN, REGIONS)["syslinux.cfg"].splitlines()


def test_grub_gets_them_with_a_literal_dollar() -> None:
    (line,) = re.findall(r"^linux /vmlinuz (.*)$", pc.configuration(GIVEN, REGIONS)["grub.cfg"], re.MULTILINE)
    assert re.sub(r"\\(.)", r"\1", line) == ARGUMENTS
    assert not re.search(r"(?<!\\)\$", line)


def test_nothing_is_left_to_fill_in() -> None:
    for text in pc.configuration(GIVEN, REGIONS).values():
        assert "{" not in text


def test_uboot_gets_them_and_edits_the_device_tree() -> None:
    (name,) = configuration = uboot.configuration(GIVEN, IN_TREE, {"legacy"})
    assert name == "boot.cmd"
    lines = configuration[name].splitlines()
    assert f"setenv bootargs '{GIVEN} reserve_mem=1M:4096:oops'" in lines
    edit = uboot_script(IN_TREE, {"legacy"}).splitlines()
    first = lines.index(edit[0])
    assert lines[first : first + len(edit)] == edit
    assert lines[first - 1].startswith("fdt resize")
    assert lines[-1].startswith("booti")
    assert not re.search(r"(?<!\$)\{", configuration[name])  # nothing is left to fill in


def test_without_regions_nothing_is_reserved() -> None:
    assert "memmap" not in "".join(pc.configuration(GIVEN, []).values())
    assert "reserved-memory" not in "".join(uboot.configuration(GIVEN, []).values())
    assert pc.kernel_arguments(GIVEN, []) == uboot.kernel_arguments(GIVEN, []) == GIVEN


def test_only_a_pc_knows_memmap() -> None:
    with pytest.raises(PhysbufError, match=r"region 'log@0x30000000\+16M': .*; add ,method=dt"):
        uboot.configuration(GIVEN, REGIONS)
    with pytest.raises(PhysbufError, match="use method=memmap"):
        pc.configuration(GIVEN, IN_TREE)


@pytest.mark.parametrize(
    ("architecture", "tools"), [(AMD64, ["grub-mkimage", "genimage"]), (ARM64, ["mkimage", "genimage"])]
)
def test_the_parts_are_ours_and_have_no_date(
    parts: Path, monkeypatch: pytest.MonkeyPatch, architecture: Architecture, tools: list[str]
) -> None:
    commands = assemble(parts, monkeypatch, architecture)
    contents = {"vmlinuz": "kernel", "initrd.gz": "initrd", "rootfs.squashfs": "rootfs"}
    assert {name: (parts / name).read_text() for name in contents} == contents
    assert {path.stat().st_mtime for path in parts.iterdir()} == {disk.BEGINNING_OF_FAT}
    assert [command[0] for command, _ in commands] == tools
    assert {env["SOURCE_DATE_EPOCH"] for _, env in commands} == {str(disk.BEGINNING_OF_FAT)}
    genimage, _ = commands[-1]
    assert str(parts) in genimage
    assert Path(genimage[genimage.index("--config") + 1]).is_file()
    assert set(tools) <= set(disk.tools(architecture))


def test_what_a_boot_loader_cannot_say_is_refused() -> None:
    with pytest.raises(PhysbufError, match="GRUB cannot hand"):
        pc.configuration('quiet dyndbg="file x +p"', REGIONS)
    with pytest.raises(PhysbufError, match="U-Boot cannot hand"):
        uboot.configuration("quiet x='y z'", IN_TREE)


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
            assert module is None or module in pc.GRUB_MODULES, line
