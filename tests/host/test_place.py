# SPDX-License-Identifier: MIT
"""What the module tells of its regions, and how a place in one is found, in a made-up /sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from physbuf.errors import PhysbufError
from physbuf.info import info, show
from physbuf.place import find_place

SYS = {
    "log": {
        "base": "0x30000000", "size": "16777216", "kind": "reserved", "cache": "wb", "mappings": "2", "boots": "7",
        "moved": "yes", "cleaner": "arch_wb_cache_pmem", "rings": "3",
    },
    "boots": {
        "base": "0x31180000", "size": "4096", "kind": "reserved", "cache": "wb", "mappings": "0", "boots": "unknown",
        "moved": "unknown", "last_exit": "panic", "last_cleaned": "16777216", "reset_cause": "",
    },
    "frames": {"base": "0x0", "size": "67108864", "kind": "dma", "cache": "coherent", "used": "8192"},
    "big": {"base": "0x0", "size": "4096", "kind": "vmalloc", "cache": "wb"},
    "edu": {"base": "0xfea00000", "size": "1048576", "kind": "regs", "cache": "device"},
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> str:
    for name, facts in SYS.items():
        folder = tmp_path / "sys/class/physbuf" / name
        folder.mkdir(parents=True)
        for what, value in facts.items():
            (folder / what).write_text(f"{value}\n")
    return str(tmp_path)


def test_info(root: str) -> None:
    regions = {region["name"]: region for region in info(root=root)["regions"]}
    log, boots, frames = (regions[name] for name in ("log", "boots", "frames"))
    assert (log["boots"], log["moved"], log["cleaner"], log["rings"]) == (7, "yes", "arch_wb_cache_pmem", 3)
    assert (log["used"], log["last_exit"], log["last_cleaned"], log["reset_cause"]) == (None, None, None, None)
    assert (boots["boots"], boots["last_exit"], boots["last_cleaned"]) == (None, "panic", 16777216)
    assert (frames["kind"], frames["cache"], frames["used"], frames["base"]) == ("dma", "coherent", 8192, None)
    assert (regions["big"]["base"], regions["edu"]["base"]) == (None, 0xFEA00000)


def test_the_notebook_is_not_writable_for_root_either(root: str) -> None:
    for name in ("log", "boots"):
        device = Path(root) / "dev/physbuf" / name
        device.parent.mkdir(parents=True, exist_ok=True)
        device.write_text("")
    writable = {region["name"]: region["writable"] for region in info(root=root)["regions"]}
    assert writable["log"] and not writable["boots"]


def test_info_for_a_reader(root: str) -> None:
    lines = {line.split(" ")[0].split("@")[0]: line for line in show(info(root=root)).splitlines()[1:]}
    assert "reserved, wb, no permission, 2 mappings, boot 7, moved since the last boot, " in lines["log"]
    assert lines["log"].endswith(", cleaner arch_wb_cache_pmem, 3 rings")
    assert lines["boots"].endswith("0 mappings, last exit panic, 16777216 bytes cleaned at it")
    assert lines["frames+0x4000000"].endswith("dma, coherent, no permission, 8192 bytes used")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("log", ("log", 0, None)),
        ("log+0x10", ("log", 16, None)),
        ("log+4K", ("log", 4096, None)),
        ("log+4K+64", ("log", 4096, 64)),
        ("./a", ("./a", 0, None)),
        ("./a+1", ("./a", 1, None)),
        ("./a+b", ("./a+b", 0, None)),
        ("./a+1+0", ("./a", 1, 0)),
        ("./a+1+2+3", ("./a+1", 2, 3)),
        ("0x30000000", ("log", 0, None)),
        ("0x30ffffff", ("log", 0xFFFFFF, None)),
        ("805306384", ("log", 16, None)),
        ("768M", ("log", 0, None)),
        ("0xfea00004", ("edu", 4, None)),
    ],
)
def test_places(root: str, text: str, place: tuple[str, int, int | None]) -> None:
    found = find_place(text, root)
    assert (found.target, found.offset, found.length) == place


@pytest.mark.parametrize("text", ["0x31000000", "0x2fffffff", "0", "0x31181000", "0xffffffffffffffffff"])
def test_an_address_in_no_region_names_the_regions(root: str, text: str) -> None:
    with pytest.raises(PhysbufError) as refused:
        find_place(text, root)
    assert str(refused.value) == (
        f"address {int(text, 0):#x}: in no region; there are: boots 0x31180000-0x31180fff, edu 0xfea00000-0xfeafffff, "
        "log 0x30000000-0x30ffffff"
    )


def test_an_address_without_any_region(tmp_path: Path) -> None:
    with pytest.raises(PhysbufError, match=r"there is none that has an address \(physbuf doctor tells why\)"):
        find_place("0x1000", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("log+x", "'log+x': not a place"),
        ("log+1+2+3", "'log+1+2+3': not a place"),
        ("log+1x", "offset '1x': not a number of bytes"),
        ("0xg", "address '0xg': not a number of bytes"),
        ("log+", "'log+': not a place"),
    ],
)
def test_what_is_no_place(root: str, text: str, says: str) -> None:
    with pytest.raises(PhysbufError) as refused:
        find_place(text, root)
    assert says in str(refused.value)
