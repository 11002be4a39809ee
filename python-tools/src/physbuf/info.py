# SPDX-License-Identifier: MIT
"""What is on this machine: the regions that the module offers, or one region or file."""

from __future__ import annotations

import os

from . import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["info", "read_text", "show"]


def info(target: str | None = None, root: str = "/") -> dict[str, Any]:
    """The machine and its regions, or only the region ``target``. ``root`` is where /proc, /sys and /dev are."""
    return {
        "version": __version__,
        "kernel": read_text(root, "proc/sys/kernel/osrelease") or os.uname().release,
        "boot_id": read_text(root, "proc/sys/kernel/random/boot_id"),
        "regions": _all(root) if target is None else [_one(target, root)],
    }


def show(data: dict[str, Any]) -> str:
    """The same for a reader."""
    lines = [f"physbuf {data['version']}, kernel {data['kernel']}, boot {data['boot_id']}"]
    for region in data["regions"]:
        base = "" if region["base"] is None else f"@{region['base']:#x}"
        access = "writable" if region["writable"] else "readable" if region["readable"] else "no permission"
        facts = [region["kind"], region["cache"], access]
        facts += [word(region[what]) for what, (_, word) in _FACTS.items() if region[what] is not None]
        lines.append(f"{region['name']}{base}+{region['size']:#x}  {region['path']}  {', '.join(filter(None, facts))}")
    if not data["regions"]:
        lines.append("no regions: the module is not loaded, or has none (physbuf doctor tells what is missing)")
    return "\n".join(lines)


def read_text(root: str, path: str) -> str | None:
    """A small file of /proc, /sys or /etc without its last newline; None if it cannot be read."""
    try:
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return None


def _all(root: str) -> list[dict[str, Any]]:
    try:
        names = sorted(os.listdir(os.path.join(root, "sys/class/physbuf")))
    except OSError:
        return []
    return [_device(name, root) for name in names]


def _one(target: str, root: str) -> dict[str, Any]:
    if "/" not in target and os.path.isdir(os.path.join(root, "sys/class/physbuf", target)):
        return _device(target, root)
    from .region import Region

    with Region.open(target) as region:
        if region.kind != "file":
            return _device(region.name, root)
        return _entry(region.name, None, region.size, region.path) | {"kind": "file"}


def _device(name: str, root: str) -> dict[str, Any]:
    place = f"sys/class/physbuf/{name}"
    base, size = (_number(read_text(root, f"{place}/{what}")) for what in ("base", "size"))
    entry = _entry(name, base, size, os.path.join(root, "dev/physbuf", name))
    for what in ("kind", "cache"):
        entry[what] = read_text(root, f"{place}/{what}")
    if entry["kind"] in _NO_ADDRESS:
        entry["base"] = None
    for what, (convert, _) in _FACTS.items():
        text = read_text(root, f"{place}/{what}")
        entry[what] = None if text is None else convert(text)
    if entry["last_exit"] is not None:  # the module's notebook, role=state: root may not write it either
        entry["writable"] = False
    return entry


def _entry(name: str, base: int | None, size: int | None, path: str) -> dict[str, Any]:
    return {
        "name": name,
        "base": base,
        "size": size,
        "kind": None,
        "cache": None,
        **dict.fromkeys(_FACTS),
        "path": path,
        "readable": os.access(path, os.R_OK),
        "writable": os.access(path, os.R_OK | os.W_OK),
    }


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text, 0)
    except ValueError:
        return None


# The kinds that do not lie in one piece in physical memory.
_NO_ADDRESS = ("dma", "vmalloc")
# What else the module tells of a region, where it does: how it is read, and how it is shown.
_FACTS: dict[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    "mappings": (_number, lambda mappings: f"{mappings} mappings"),
    "boots": (_number, lambda boots: f"boot {boots}"),
    "moved": (str, lambda moved: "moved since the last boot" if moved == "yes" else ""),
    "cleaner": (str, lambda cleaner: f"cleaner {cleaner}"),
    "used": (_number, lambda used: f"{used} bytes used"),
    "rings": (_number, lambda rings: f"{rings} rings"),
    "last_exit": (str, lambda last: f"last exit {last}"),
    "last_cleaned": (_number, lambda cleaned: f"{cleaned} bytes cleaned at it"),
    "reset_cause": (str, lambda cause: f"reset cause {cause}" if cause else ""),
}
