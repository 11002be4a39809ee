# SPDX-License-Identifier: MIT
"""How a region is reserved at boot: the kernel's argument, and its spelling for each boot loader.

The argument is ``memmap=SIZE$BASE``. The ``$`` is what goes wrong in practice: some boot loaders expand it, so each
*sink* here knows how its language writes a literal one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .errors import PhysbufError
from .regions import RegionSpec, format_size

__all__ = ["SINKS", "boot_arguments", "for_sink", "memmap_argument", "module_parameter"]


def memmap_argument(region: RegionSpec) -> str:
    """The boot argument as it must stand in /proc/cmdline, for instance ``memmap=16M$0x30000000``."""
    return f"memmap={format_size(region.size)}${region.base:#x}"


def boot_arguments(regions: Iterable[RegionSpec]) -> str:
    """What reserves all the regions, as the kernel must see it."""
    return " ".join(_argument(region) for region in regions)


def module_parameter(regions: Iterable[RegionSpec]) -> str:
    """The value of the module's parameter ``regions=``; without white space, which modprobe would split."""
    regions = list(regions)
    for region in regions:
        if region.cache != "wb":
            raise PhysbufError(f"region {str(region)!r}: the module maps with cache=wb only so far, not {region.cache}")
    return ";".join(str(region) for region in regions)


def for_sink(sink: str, arguments: str) -> str:
    """Kernel arguments as they are written in the configuration of a boot loader (a key of SINKS)."""
    if sink not in SINKS:
        raise PhysbufError(f"unknown boot loader {sink!r}; known: {', '.join(sorted(SINKS))}")
    return SINKS[sink](arguments)


def _argument(region: RegionSpec) -> str:
    if region.method == "memmap":
        return memmap_argument(region)
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


def _shell(arguments: str) -> str:
    import shlex

    return shlex.quote(arguments)


SINKS: dict[str, Callable[[str], str]] = {"syslinux": _plain, "grub": _grub, "shell": _shell}
