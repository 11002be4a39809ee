# SPDX-License-Identifier: MIT
"""Finds the step that dropped a reservation, from the manifest through the boot to the device.

The steps, in the order in which a reservation passes them: ``manifest``, ``boot-argument``, ``kernel-map``,
``module``, ``region``, ``device``. All are looked at; the first that failed is the one to mend.
"""

from __future__ import annotations

import os

from . import iomem
from .boot_argument import find_fault
from .errors import PhysbufError
from .info import read_text
from .regions import RegionSpec
from .reservation import memmap_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["MANIFEST", "STEPS", "examine", "show"]

MANIFEST = "etc/physbuf/manifest.json"
STEPS = ("manifest", "boot-argument", "kernel-map", "module", "region", "device")


class _Step:
    """What one step showed: ``ok`` is None when it cannot be known."""

    def __init__(self, ok: bool | None, detail: str, remedy: str = "") -> None:
        self.ok = ok
        self.detail = detail
        self.remedy = remedy


def examine(manifest: str | None = None, root: str = "/") -> dict[str, Any]:
    """The verdict, as it stands in JSON. ``root`` is where /etc, /proc, /sys and /dev are."""
    path = manifest or os.path.join(root, MANIFEST)
    try:
        entries = _entries(path)
    except PhysbufError as error:
        remedy = "install the manifest of the image there, or name one with --manifest FILE"
        return _verdict([_region("-", [("manifest", _Step(False, str(error), remedy))])])
    return _verdict([_examine(entry, path, root) for entry in entries])


def show(verdict: dict[str, Any]) -> str:
    """One line a region: that it is well, or its first failing step and the remedy."""
    lines = []
    for region in verdict["regions"]:
        for step in region["steps"]:
            if step["step"] == region["failed_step"]:
                lines.append(f"{region['name']}: {step['step']}: {step['detail']}; {step['remedy']}")
        if region["ok"]:
            unknown = [f"{step['step']} unknown: {step['detail']}" for step in region["steps"] if step["ok"] is None]
            lines.append("; ".join([f"{region['name']}: ok", *unknown]))
    return "\n".join(lines)


def _verdict(regions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"ok": all(region["ok"] for region in regions), "regions": regions}


def _region(name: str, steps: list[tuple[str, _Step]]) -> dict[str, Any]:
    failed = next((name for name, step in steps if step.ok is False), None)
    return {
        "name": name,
        "ok": failed is None,
        "failed_step": failed,
        "steps": [{"step": name, "ok": step.ok, "detail": step.detail, "remedy": step.remedy} for name, step in steps],
    }


def _entries(path: str) -> list[Any]:
    """The regions that a manifest declares, not yet checked one by one."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            regions = json.load(file)["regions"]
    except OSError as error:
        raise PhysbufError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise PhysbufError(f"{path}: not a manifest (JSON with the key regions)") from None
    if not isinstance(regions, list) or not regions:
        raise PhysbufError(f"{path}: it declares no regions")
    return regions


def _examine(entry: Any, path: str, root: str) -> dict[str, Any]:
    name = str(entry.get("name", "-")) if isinstance(entry, dict) else "-"
    try:
        base, size = entry["base"], entry["size"]
        if not isinstance(base, int) or not isinstance(size, int):
            raise PhysbufError(f"region {name!r}: base and size must be numbers of bytes")
        spec = RegionSpec(name, base, size, entry.get("method", "memmap"), entry.get("cache", "wb"))
    except (PhysbufError, KeyError, TypeError, AttributeError) as error:
        why = str(error) if isinstance(error, PhysbufError) else f"an entry lacks name, base or size: {entry!r}"
        return _region(name, [("manifest", _Step(False, f"{path}: {why}", "build the image again"))])
    looks = (_boot_argument, _kernel_map, _module, _device_class, _device)
    steps = [_Step(True, f"{path} declares {spec}"), *(look(spec, root) for look in looks)]
    return _region(name, list(zip(STEPS, steps, strict=True)))


def _boot_argument(spec: RegionSpec, root: str) -> _Step:
    if spec.method == "dt":
        return _Step(True, "not needed: the device tree reserves it")
    if spec.method != "memmap":
        return _Step(None, f"method {spec.method} is not looked at yet")
    cmdline = read_text(root, "proc/cmdline")
    if cmdline is None:
        return _Step(None, "/proc/cmdline cannot be read")
    fault = find_fault(spec, cmdline)
    if fault is None:
        return _Step(True, f"{memmap_argument(spec)} is in /proc/cmdline")
    return _Step(False, *fault)


def _kernel_map(spec: RegionSpec, root: str) -> _Step:
    text = read_text(root, "proc/iomem")
    if text is None:
        return _Step(None, "/proc/iomem cannot be read; run as root to know")
    entries = iomem.parse(text)
    if not any(entry.end > 1 for entry in entries):
        return _Step(None, "/proc/iomem hides its addresses; run as root to know")
    where = f"{spec.base:#x}-{spec.end - 1:#x}"
    used = iomem.overlap(entries, spec.base, spec.end, iomem.SYSTEM_RAM)
    if used is not None:
        right = f"{memmap_argument(spec)} in the boot loader's configuration"
        if spec.method == "dt":
            right = "the reserved-memory node, with no-map, in /proc/device-tree"
        remedy = f"the kernel was not told to keep off: check {right}"
        return _Step(False, f"{where} overlaps System RAM {used} in /proc/iomem", remedy)
    if spec.method == "dt" or iomem.covered(entries, spec.base, spec.end, iomem.RESERVED):
        return _Step(True, f"{where} is not System RAM")
    return _Step(
        False,
        f"{where} is not Reserved in /proc/iomem",
        "there may be no RAM: compare base and size with the memory map at the start of dmesg",
    )


def _module(_: RegionSpec, root: str) -> _Step:
    if os.path.isdir(os.path.join(root, "sys/module/physbuf")):
        return _Step(True, "the module physbuf is loaded")
    remedy = "modprobe physbuf, and read in dmesg why it refused; is it built for this kernel?"
    return _Step(False, "the module physbuf is not loaded", remedy)


def _device_class(spec: RegionSpec, root: str) -> _Step:
    place = f"sys/class/physbuf/{spec.name}"
    remedy = f"give the module regions={spec} (/etc/modprobe.d) and read in dmesg why it refused"
    for what, declared in (("base", spec.base), ("size", spec.size)):
        text = read_text(root, f"{place}/{what}")
        if text is None:
            return _Step(False, f"the module has no region {spec.name} (/{place}/{what} is not there)", remedy)
        if _number(text) != declared:
            return _Step(False, f"the module has {what} {text}, the manifest {declared:#x}", remedy)
    return _Step(True, f"/{place} is as declared")


def _device(spec: RegionSpec, root: str) -> _Step:
    path = os.path.join(root, "dev/physbuf", spec.name)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK))
    except FileNotFoundError:
        return _Step(False, f"there is no {path}", "start udev, or mdev -s; is devtmpfs mounted on /dev?")
    except PermissionError:
        return _Step(
            False, f"no permission to open {path}", "join the group physbuf (usermod -aG physbuf USER), or be root"
        )
    except OSError as error:
        return _Step(False, f"{path} cannot be opened: {error.strerror}", "read dmesg for the reason")
    return _Step(True, f"{path} can be opened")


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None
