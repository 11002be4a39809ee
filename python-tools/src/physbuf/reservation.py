# SPDX-License-Identifier: MIT
"""How a region is reserved at boot: by the kernel's argument or by the device tree, as each boot loader writes it.

The argument is ``memmap=SIZE$BASE``. The ``$`` is what goes wrong in practice: some boot loaders expand it, so each
*sink* here knows how its language writes a literal one. The device tree is edited by U-Boot's commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from .errors import PhysbufError
from .regions import PAGE, RegionSpec, format_size

__all__ = [
    "SINKS",
    "boot_arguments",
    "for_sink",
    "memmap_argument",
    "module_parameter",
    "reserve_mem_argument",
    "uboot_script",
]

FIRST_PHANDLE = 0x70680001  # far from those that compilers give, which count from 1, and from QEMU's, from 0x8000


def memmap_argument(region: RegionSpec) -> str:
    """The boot argument as it must stand in /proc/cmdline, for instance ``memmap=16M$0x30000000``."""
    return f"memmap={format_size(region.size)}${region.base:#x}"


def reserve_mem_argument(region: RegionSpec) -> str:
    """The same where the kernel, 6.12 or newer, chooses the address: ``reserve_mem=16M:4096:log``."""
    return f"reserve_mem={format_size(region.size)}:{PAGE}:{region.label}"


def boot_arguments(regions: Iterable[RegionSpec]) -> str:
    """What reserves all the regions that need it, as the kernel must see it."""
    return " ".join(_argument(region) for region in regions if region.kind == "reserved")


def uboot_script(regions: Iterable[RegionSpec], by_parameter: Collection[str] = ()) -> str:
    """U-Boot's commands that reserve the regions of method ``dt`` in the device tree at hand, the one of ``fdt addr``.

    Each region gets a node below /reserved-memory, and a node that the module binds to unless its name is among
    ``by_parameter``.
    """
    in_tree = [region for region in regions if region.method == "dt"]
    if not in_tree:
        return ""
    lines = _new_node("/", "reserved-memory", "'#address-cells' <2>", "'#size-cells' <2>", "ranges")
    for number, region in enumerate(in_tree):
        phandle = f"<{FIRST_PHANDLE + number:#x}>"
        place = " ".join(f"{value >> 32:#x} {value & 0xFFFFFFFF:#x}" for value in (region.base, region.size))
        node = f"{region.name}@{region.base:x}"
        lines += _new_node("/reserved-memory", node, f"reg <{place}>", "no-map", f"phandle {phandle}")
        if region.name not in by_parameter:
            options = [f"physbuf,cache {region.cache}", *([f"physbuf,role {region.role}"] if region.role else [])]
            lines += _new_node(
                "/", f"physbuf-{number}", "compatible physbuf,region", f"memory-region {phandle}",
                f"label {region.name}", *options,
            )  # fmt: skip
    return "\n".join(lines)


def module_parameter(regions: Iterable[RegionSpec], by_parameter: Collection[str] = ()) -> str:
    """The value of the module's parameter ``regions=``; without white space, which modprobe would split.

    What the device tree reserves it tells the module itself, but for the regions named in ``by_parameter``.
    """
    regions = [region for region in regions if region.method != "dt" or region.name in by_parameter]
    return ";".join(str(region) for region in regions)


def for_sink(sink: str, arguments: str) -> str:
    """Kernel arguments as they are written in the configuration of a boot loader (a key of SINKS)."""
    if sink not in SINKS:
        raise PhysbufError(f"unknown boot loader {sink!r}; known: {', '.join(sorted(SINKS))}")
    return SINKS[sink](arguments)


def _new_node(parent: str, name: str, *properties: str) -> list[str]:
    path = f"{parent.rstrip('/')}/{name}"
    return [f"fdt mknode {parent} {name}", *(f"fdt set {path} {each}" for each in properties)]


def _argument(region: RegionSpec) -> str:
    if region.method == "memmap":
        return memmap_argument(region)
    if region.method == "reserve_mem":
        return reserve_mem_argument(region)
    raise PhysbufError(
        f"region {str(region)!r}: the method {region.method!r} cannot be written as a boot argument here; "
        "on x86 use method=memmap"
    )


def _plain(arguments: str) -> str:
    return arguments


def _grub(arguments: str) -> str:
    for char in "\"'\\":  # GRUB's `linux` puts a backslash before these, so that no spelling brings them to the kernel
        if char in arguments:
            raise PhysbufError(f"GRUB cannot hand {char!r} to the kernel as it is: {arguments!r}; leave it out")
    return re.sub(r"[$;&|<>{}#]", r"\\\g<0>", arguments)


def _uboot(arguments: str) -> str:
    for char in "'\\\n":  # its parser drops a backslash even in single quotes, which keep all else
        if char in arguments:
            raise PhysbufError(f"U-Boot cannot hand {char!r} to the kernel as it is: {arguments!r}; leave it out")
    return f"'{arguments}'"


def _shell(arguments: str) -> str:
    import shlex

    return shlex.quote(arguments)


SINKS: dict[str, Callable[[str], str]] = {"syslinux": _plain, "grub": _grub, "shell": _shell, "uboot": _uboot}
