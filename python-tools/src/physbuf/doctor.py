# SPDX-License-Identifier: MIT
"""Finds the step that dropped a reservation, from the manifest through the boot to the device.

The steps, in the order in which a reservation passes them: ``manifest``, ``boot-argument``, ``kernel-map``,
``module``, ``region``, ``moved``, ``device``. All are looked at; the first that failed is the one to mend. Beside them
there are notes, which are no faults: what could be better, and why the machine was reset, where it tells.
"""

from __future__ import annotations

import os

from . import iomem
from .boot_argument import find_fault
from .errors import PhysbufError
from .info import read_text
from .regions import RegionSpec, parse_region
from .reservation import memmap_argument, reserve_mem_argument
from .watchdog import reset_causes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["MANIFEST", "examine", "show"]

MANIFEST = "etc/physbuf/manifest.json"
NO_STATE = (
    "hint: no region has role=state, so nobody counts the boots or sees that a region moved; declare a page for it, as "
    "boots@0x31180000+4K,role=state"
)


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
        return _verdict([_region("-", [("manifest", _Step(False, str(error), remedy))])], reset_causes(root))
    remembered = any(isinstance(entry, dict) and entry.get("role") == "state" for entry in entries)
    notes = reset_causes(root) if remembered else [NO_STATE, *reset_causes(root)]
    return _verdict([_examine(entry, path, root, remembered) for entry in entries], notes)


def show(verdict: dict[str, Any]) -> str:
    """One line a region: that it is well, or its first failing step and the remedy. Then the notes."""
    lines = []
    for region in verdict["regions"]:
        for step in region["steps"]:
            if step["step"] == region["failed_step"]:
                lines.append(f"{region['name']}: {step['step']}: {step['detail']}; {step['remedy']}")
        if region["ok"]:
            unknown = [f"{step['step']} unknown: {step['detail']}" for step in region["steps"] if step["ok"] is None]
            lines.append("; ".join([f"{region['name']}: ok", *unknown]))
    lines += verdict["notes"]
    return "\n".join(lines)


def _verdict(regions: list[dict[str, Any]], notes: list[str]) -> dict[str, Any]:
    return {"ok": all(region["ok"] for region in regions), "regions": regions, "notes": notes}


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


def _examine(entry: Any, path: str, root: str, remembered: bool) -> dict[str, Any]:
    name = str(entry.get("name", "-")) if isinstance(entry, dict) else "-"
    try:
        spec = _spec(name, entry)
    except (PhysbufError, KeyError, TypeError, AttributeError) as error:
        why = str(error) if isinstance(error, PhysbufError) else f"an entry lacks name, base or size: {entry!r}"
        return _region(name, [("manifest", _Step(False, f"{path}: {why}", "build the image again"))])
    steps = [("manifest", _Step(True, f"{path} declares {spec}"))]
    for step, look in _LOOKS.items():
        if remembered or look is not _moved:
            steps.append((step, look(spec, root)))
    return _region(name, steps)


def _spec(name: str, entry: Any) -> RegionSpec:
    """The region that an entry of the manifest declares; older manifests have no more than name, base and size."""
    if "spec" in entry:
        return parse_region(str(entry["spec"]))
    base, size = entry["base"], entry["size"]
    if not isinstance(base, int) or not isinstance(size, int):
        raise PhysbufError(f"region {name!r}: base and size must be numbers of bytes")
    return RegionSpec(name, base, size, entry.get("method", "memmap"), entry.get("cache", "wb"))


def _boot_argument(spec: RegionSpec, root: str) -> _Step:
    if spec.kind != "reserved":
        return _Step(True, f"not needed: the kind {spec.kind} is not reserved at boot")
    if spec.method == "dt":
        return _Step(True, "not needed: the device tree reserves it")
    if spec.method not in ("memmap", "reserve_mem"):
        return _Step(None, f"method {spec.method} is not looked at yet")
    cmdline = read_text(root, "proc/cmdline")
    if cmdline is None:
        return _Step(None, "/proc/cmdline cannot be read")
    fault = find_fault(spec, cmdline)
    if fault is None:
        argument = memmap_argument(spec) if spec.method == "memmap" else reserve_mem_argument(spec)
        return _Step(True, f"{argument} is in /proc/cmdline")
    return _Step(False, *fault)


def _kernel_map(spec: RegionSpec, root: str) -> _Step:
    if spec.kind != "reserved" or not spec.has_address:
        return _Step(True, f"not needed: {spec.place} is no range that the boot keeps free")
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
    for what in ("base", "size"):
        text = read_text(root, f"{place}/{what}")
        declared = getattr(spec, what)
        if text is None:
            return _Step(False, f"the module has no region {spec.name} (/{place}/{what} is not there)", remedy)
        known = spec.has_address if what == "base" else spec.size > 0
        if known and _number(text) != declared:
            return _Step(False, f"the module has {what} {text}, the manifest {declared:#x}", remedy)
    for what in ("kind", "cache"):
        text = read_text(root, f"{place}/{what}")
        if text is not None and text != getattr(spec, what):
            return _Step(False, f"the module has {what} {text}, the manifest {getattr(spec, what)}", remedy)
    return _Step(True, f"/{place} is as declared")


def _moved(spec: RegionSpec, root: str) -> _Step:
    if spec.kind != "reserved":
        return _Step(True, f"not needed: the kind {spec.kind} does not survive a reset")
    moved = read_text(root, f"sys/class/physbuf/{spec.name}/moved")
    if moved == "no":
        return _Step(True, "it lies where it lay at the last boot")
    if moved != "yes":
        return _Step(None, "nobody remembers where it lay at the last boot; the next boot will know")
    remedy = "what it held is lost; reserve it at a fixed address (memmap=, or a node in the device tree)"
    if spec.method == "reserve_mem":
        remedy += ", or boot with nokaslr"
    return _Step(False, "it lies elsewhere than at the last boot", remedy)


def _device(spec: RegionSpec, root: str) -> _Step:
    path = os.path.join(root, "dev/physbuf", spec.name)
    access = os.O_RDONLY if spec.role == "state" else os.O_RDWR
    try:
        os.close(os.open(path, access | os.O_CLOEXEC | os.O_NONBLOCK))
    except FileNotFoundError:
        return _Step(False, f"there is no {path}", "start udev, or mdev -s; is devtmpfs mounted on /dev?")
    except PermissionError:
        remedy = "join the group physbuf (usermod -aG physbuf USER), or be root"
        if spec.kind == "regs":
            remedy = "registers are for root alone (CAP_SYS_RAWIO), and not under kernel lockdown"
        return _Step(False, f"no permission to open {path}", remedy)
    except OSError as error:
        return _Step(False, f"{path} cannot be opened: {error.strerror}", "read dmesg for the reason")
    return _Step(True, f"{path} can be opened")


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


_LOOKS = {
    "boot-argument": _boot_argument,
    "kernel-map": _kernel_map,
    "module": _module,
    "region": _device_class,
    "moved": _moved,
    "device": _device,
}
