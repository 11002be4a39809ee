# SPDX-License-Identifier: MIT
"""The doctor: each step made to fail in a made-up /etc, /proc, /sys and /dev."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from physbuf import doctor
from physbuf.boot_argument import find_fault
from physbuf.cli import execute, main
from physbuf.regions import parse_region, parse_regions

REGIONS = "log@0x30000000+16M legacy@0x31000000+1536K"
CMDLINE = "root=/dev/vda1 memmap=16M$0x30000000 memmap=1536K$0x31000000 quiet\n"
IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
00100000-2fffffff : System RAM
  01000000-01ffffff : Kernel code
30000000-3117ffff : Reserved
  30000000-30ffffff : physbuf log
31180000-3ffdffff : System RAM
"""
ORDER = ["manifest", "boot-argument", "kernel-map", "module", "region", "device"]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    specs = parse_regions(REGIONS)
    write(tmp_path / "etc/physbuf/manifest.json", json.dumps({"regions": [spec.as_dict() for spec in specs]}))
    write(tmp_path / "proc/cmdline", CMDLINE)
    write(tmp_path / "proc/iomem", IOMEM)
    (tmp_path / "sys/module/physbuf").mkdir(parents=True)
    for spec in specs:
        write(tmp_path / f"sys/class/physbuf/{spec.name}/base", f"{spec.base:#x}\n")
        write(tmp_path / f"sys/class/physbuf/{spec.name}/size", f"{spec.size}\n")
        write(tmp_path / f"dev/physbuf/{spec.name}", "")
    return tmp_path


def examine(root: Path) -> dict[str, Any]:
    return doctor.examine(root=str(root))


def failing(root: Path, name: str = "log") -> tuple[str, str]:
    """The step that failed for a region, and the line for the reader."""
    verdict = examine(root)
    assert not verdict["ok"]
    (region,) = [region for region in verdict["regions"] if region["name"] == name]
    (line,) = [line for line in doctor.show(verdict).splitlines() if line.startswith(f"{name}: ")]
    assert not region["ok"]
    failed = [step for step in region["steps"] if step["ok"] is False]
    assert failed[0]["step"] == region["failed_step"]
    assert all(step["detail"] and step["remedy"] for step in failed)
    return region["failed_step"], line


def test_all_is_well(root: Path) -> None:
    verdict = examine(root)
    assert verdict["ok"] and [region["name"] for region in verdict["regions"]] == ["log", "legacy"]
    for region in verdict["regions"]:
        assert region["ok"] and region["failed_step"] is None
        assert [step["step"] for step in region["steps"]] == ORDER
        assert all(step["ok"] is True for step in region["steps"])
    assert doctor.show(verdict).startswith("log: ok\nlegacy: ok\nhint: no region has role=state")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "No such file"),
        ("{", "not a manifest"),
        ("[]", "not a manifest"),
        ('{"regions": []}', "no regions"),
        ('{"regions": 7}', "no regions"),
    ],
)
def test_manifest(root: Path, text: str | None, says: str) -> None:
    path = root / doctor.MANIFEST
    path.unlink() if text is None else path.write_text(text)
    step, line = failing(root, "-")
    assert step == "manifest" and says in line and "--manifest FILE" in line


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {"name": "log"},
        {"name": "log", "base": "0x30000000", "size": 4096},
        {"name": "log", "base": 1, "size": 4096},
        {"name": "log", "base": 4096, "size": 4096, "method": "hope"},
        {"name": "log", "base": None, "size": 4096, "method": []},
    ],
)
def test_manifest_entry(root: Path, entry: object) -> None:
    (root / doctor.MANIFEST).write_text(json.dumps({"regions": [entry]}))
    assert failing(root, "log" if isinstance(entry, dict) else "-")[0] == "manifest"


def test_another_manifest(root: Path) -> None:
    moved = root / "elsewhere.json"
    (root / doctor.MANIFEST).rename(moved)
    assert doctor.examine(str(moved), str(root))["ok"]


def test_missing_boot_argument(root: Path) -> None:
    write(root / "proc/cmdline", CMDLINE.replace("memmap=16M$0x30000000 ", ""))
    step, line = failing(root)
    assert step == "boot-argument"
    assert line.startswith("log: boot-argument: memmap=16M$0x30000000 is missing from /proc/cmdline; ")
    assert [region["ok"] for region in examine(root)["regions"]] == [False, True]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("memmap=16M", "lost its $"),
        ("memmap=16Mx30000000", "lost its $"),
        ("memmap=16M0x30000000", "lost its $"),
        ("memmap=16Mbashx30000000", "lost its $"),
        ("memmap=0x30000000", "lost its $"),
        (r"memmap=16M\$0x30000000", "backslash"),
        (r"memmap=16M\\\$0x30000000", "backslash"),
        ("memmap=16M@0x30000000", "as RAM"),
        ("memmap=16M#0x30000000", "ACPI"),
        ("memmap=16M!0x30000000", "persistent memory"),
        ("memmap=8M$0x30000000", "0x800000 bytes, not 0x1000000"),
        ("'memmap=16M$0x30000000'", "quotes"),
    ],
)
def test_mutilated_boot_argument(root: Path, word: str, says: str) -> None:
    write(root / "proc/cmdline", CMDLINE.replace("memmap=16M$0x30000000", word))
    step, line = failing(root)
    assert step == "boot-argument" and says in line and "memmap=16M$0x30000000 became memmap=" in line


@pytest.mark.parametrize(
    "word",
    [
        "memmap=16M$0x30000000",
        "memmap=16384K$805306368",
        "memmap=0x1000000$0x30000000",
        "memmap=16m$768M",
        '"memmap=16M$0x30000000"',
        "memmap=1M$0x100000,16M$0x30000000",
        "memmap=16M$0x31000000 memmap=16M$0x30000000",
        "memmap=exactmap memmap=16M$0x30000000",
    ],
)
def test_boot_argument_in_other_words(word: str) -> None:
    assert find_fault(parse_region("log@0x30000000+16M"), f"quiet {word} ro") is None


def test_system_ram(root: Path) -> None:
    write(root / "proc/iomem", "00100000-3ffdffff : System RAM\n")
    step, line = failing(root)
    assert step == "kernel-map" and "overlaps System RAM 0x100000-0x3ffdffff" in line


def test_one_page_of_system_ram(root: Path) -> None:
    write(root / "proc/iomem", IOMEM.replace("31180000", "3117f000").replace("3117ffff", "3117efff"))
    assert [region["failed_step"] for region in examine(root)["regions"]] == [None, "kernel-map"]


def test_no_ram_at_all(root: Path) -> None:
    write(root / "proc/iomem", "00100000-2fffffff : System RAM\n")
    step, line = failing(root)
    assert step == "kernel-map" and "not Reserved" in line


@pytest.mark.parametrize("text", [None, "00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n"])
def test_hidden_map_is_unknown(root: Path, text: str | None) -> None:
    (root / "proc/iomem").unlink() if text is None else write(root / "proc/iomem", text)
    verdict = examine(root)
    assert verdict["ok"] and verdict["regions"][0]["steps"][2]["ok"] is None
    assert "kernel-map unknown" in doctor.show(verdict) and "root" in doctor.show(verdict)


def test_module(root: Path) -> None:
    shutil.rmtree(root / "sys")
    step, line = failing(root)
    assert step == "module" and "modprobe physbuf" in line


@pytest.mark.parametrize(("what", "value"), [("base", "0x40000000"), ("size", "4096"), ("size", "?")])
def test_region_differs(root: Path, what: str, value: str) -> None:
    write(root / f"sys/class/physbuf/log/{what}", f"{value}\n")
    step, line = failing(root)
    assert step == "region" and f"the module has {what} {value}, the manifest" in line


def test_region_is_not_there(root: Path) -> None:
    shutil.rmtree(root / "sys/class/physbuf/log")
    step, line = failing(root)
    assert step == "region" and "regions=log@0x30000000+16M" in line


def test_device(root: Path) -> None:
    (root / "dev/physbuf/log").unlink()
    step, line = failing(root)
    assert step == "device" and "dev/physbuf/log" in line


def test_device_permission(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    step, line = failing(root)
    assert step == "device" and "group physbuf" in line


def test_the_first_failing_step_is_named(root: Path) -> None:
    shutil.rmtree(root / "sys")
    shutil.rmtree(root / "dev")
    write(root / "proc/iomem", "00100000-3ffdffff : System RAM\n")
    write(root / "proc/cmdline", "quiet\n")
    assert failing(root)[0] == "boot-argument"


def test_device_tree_needs_no_argument(root: Path) -> None:
    spec = parse_region("log@0x30000000+16M,method=dt")
    write(root / doctor.MANIFEST, json.dumps({"regions": [spec.as_dict()]}))
    write(root / "proc/cmdline", "quiet\n")
    assert examine(root)["ok"]


STATE = "boots@0x31180000+4K,role=state"
FRAMES = "frames@dma+64M"
SCRATCH = "scratch@pages+1M"
UART = "uart@regs:0xfe001000+4K"
EDU = "edu@bar:0000:00:04.0:0"
OOPS = "oops@reserve_mem:last+1M"


@pytest.fixture
def notebook(root: Path) -> Path:
    """The same with a page for the module, which remembers, and a region of each kind."""
    regions = parse_regions(" ".join([REGIONS, STATE, FRAMES, SCRATCH, UART, EDU, OOPS]))
    write(root / "etc/physbuf/manifest.json", json.dumps({"regions": [region.as_dict() for region in regions]}))
    write(root / "proc/cmdline", f"{CMDLINE.strip()} memmap=4K$0x31180000 reserve_mem=1M:4096:last\n")
    write(root / "proc/iomem", IOMEM.replace("3117ffff", "31180fff").replace("31180000-", "31181000-"))
    for region in regions:
        place = root / f"sys/class/physbuf/{region.name}"
        chosen = 0x7F000000 if region.label or region.kind == "pages" else 0  # by the kernel
        write(place / "base", f"{region.base or chosen:#x}\n")
        write(place / "size", f"{region.size or 1 << 20}\n")
        write(place / "kind", f"{region.kind}\n")
        write(place / "cache", f"{region.cache}\n")
        write(place / "moved", "no\n" if region.kind == "reserved" else "unknown\n")
        write(root / f"dev/physbuf/{region.name}", "")
    return root


def test_every_kind_is_well(notebook: Path) -> None:
    verdict = examine(notebook)
    assert verdict["ok"] and verdict["notes"] == []
    names = [region["name"] for region in verdict["regions"]]
    assert names == ["log", "legacy", "boots", "frames", "scratch", "uart", "edu", "oops"]
    assert doctor.show(verdict) == "\n".join(f"{name}: ok" for name in names)
    for region in verdict["regions"]:
        assert [step["step"] for step in region["steps"]] == [*ORDER[:5], "moved", "device"]
        assert all(step["ok"] for step in region["steps"])


def test_a_region_that_moved(notebook: Path) -> None:
    write(notebook / "sys/class/physbuf/log/moved", "yes\n")
    step, line = failing(notebook)
    assert step == "moved" and "elsewhere than at the last boot; what it held is lost" in line and "nokaslr" not in line
    write(notebook / "sys/class/physbuf/oops/moved", "yes\n")
    step, line = failing(notebook, "oops")
    assert step == "moved" and "nokaslr" in line


def test_the_first_boot_remembers_nothing(notebook: Path) -> None:
    write(notebook / "sys/class/physbuf/log/moved", "unknown\n")
    verdict = examine(notebook)
    assert verdict["ok"] and verdict["regions"][0]["steps"][5]["ok"] is None
    assert "log: ok; moved unknown: nobody remembers" in doctor.show(verdict)


@pytest.mark.parametrize(
    ("cmdline", "says"),
    [
        ("quiet", "reserve_mem=1M:4096:last is missing from /proc/cmdline"),
        ("reserve_mem=1M:4096:lost", "is missing"),
        ("reserve_mem=2M:4096:last", "reserve_mem=2M:4096:last reserves 0x200000 bytes, not 0x100000"),
    ],
)
def test_a_named_reservation(notebook: Path, cmdline: str, says: str) -> None:
    text = (notebook / "proc/cmdline").read_text()
    write(notebook / "proc/cmdline", text.replace("reserve_mem=1M:4096:last", cmdline))
    step, line = failing(notebook, "oops")
    assert step == "boot-argument" and says in line and "reserve_mem=1M:4096:last" in line


@pytest.mark.parametrize(
    ("name", "what", "value"),
    [("log", "cache", "wc"), ("frames", "kind", "vmalloc"), ("frames", "size", "4096"), ("uart", "base", "0xfe002000")],
)
def test_a_region_of_another_make(notebook: Path, name: str, what: str, value: str) -> None:
    write(notebook / f"sys/class/physbuf/{name}/{what}", f"{value}\n")
    step, line = failing(notebook, name)
    assert step == "region" and f"the module has {what} {value}, the manifest" in line


def test_the_notebook_is_opened_for_reading(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: dict[str, int] = {}
    really_open = os.open

    def note(path: str, flags: int) -> int:
        opened[Path(path).name] = flags & os.O_ACCMODE
        return really_open(path, flags)

    monkeypatch.setattr(os, "open", note)
    assert examine(notebook)["ok"]
    assert opened["boots"] == os.O_RDONLY and opened["log"] == os.O_RDWR


def test_registers_are_for_root(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr(os, "open", refuse)
    step, line = failing(notebook, "uart")
    assert step == "device" and "CAP_SYS_RAWIO" in line


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("32", "reset cause: watchdog0 (i6300ESB timer) says that the watchdog fired (bootstatus 0x20)"),
        ("0x21", "says that the processor was too hot and the watchdog fired (bootstatus 0x21)"),
        ("0", None),
        ("256", None),
        ("", None),
        ("broken", None),
    ],
)
def test_what_the_watchdog_says(notebook: Path, status: str, says: str | None) -> None:
    write(notebook / "sys/class/watchdog/watchdog0/bootstatus", f"{status}\n")
    write(notebook / "sys/class/watchdog/watchdog0/identity", "i6300ESB timer\n")
    verdict = examine(notebook)
    assert verdict["ok"] and len(verdict["notes"]) == (says is not None)
    if says:
        assert says in doctor.show(verdict)


def test_command(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, verdict = execute(["doctor", "--manifest", str(root / "nothing.json")])
    assert code == 1 and isinstance(verdict, dict) and not verdict["ok"]
    assert main(["doctor", "--manifest", str(root / "nothing.json")]) == 1
    assert capsys.readouterr().out.startswith("-: manifest: ")
