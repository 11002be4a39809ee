# SPDX-License-Identifier: MIT
"""Single accesses of a region, of one width each: what a device's register wants."""

from __future__ import annotations

import errno

from ._native import ffi, lib
from .errors import PhysbufError
from .region import Region

__all__ = ["WIDTHS", "peek", "poke"]

WIDTHS = (1, 2, 4, 8)


def peek(region: Region, offset: int, width: int, count: int = 1) -> list[int]:
    """``count`` values one behind the other, read by one access of ``width`` bytes each; nothing if one is refused."""
    if count < 1:
        raise PhysbufError(f"count {count}: read at least one")
    _check(region, "peek", offset, width, count)
    value = ffi.new("uint64_t *")
    values = []
    for at in range(offset, offset + width * count, width):
        result = lib.physbuf_peek(region.handle, at, width, value)
        if result:
            raise _refused(region, "peek", width, -result)
        values.append(int(value[0]))
    return values


def poke(region: Region, offset: int, width: int, value: int) -> None:
    """Write a value by one access of ``width`` bytes. Nothing is read."""
    _check(region, "poke", offset, width, 1)
    if not 0 <= value < 1 << 8 * width:
        raise PhysbufError(
            f"value {value:#x}: does not fit into {width} bytes; take 0 .. {(1 << 8 * width) - 1:#x}, or another width"
        )
    result = lib.physbuf_poke(region.handle, offset, width, value)
    if result:
        raise _refused(region, "poke", width, -result)


def _check(region: Region, action: str, offset: int, width: int, count: int) -> None:
    if width not in WIDTHS:
        raise PhysbufError(f"width {width}: must be one of {', '.join(map(str, WIDTHS))}")
    if region.kind == "dma":
        region.require_content(action)
    where = _where(region, offset)
    if offset % width:
        below = _where(region, offset - offset % width)
        raise PhysbufError(f"{where}: not a multiple of the width {width}; take {below}, or --width 1")
    end = offset + width * count
    if end > region.size:
        raise PhysbufError(f"{where}: up to {end:#x} of region {region.target!r}, which ends at {region.size:#x}")


def _where(region: Region, offset: int) -> str:
    return f"{region.target}+{offset:#x}" if region.base is None else f"{region.base + offset:#x}"


def _refused(region: Region, action: str, width: int, number: int) -> PhysbufError:
    if number == errno.EOPNOTSUPP:
        return PhysbufError(f"width {width}: this machine has no access so wide; take --width 4 twice")
    return region.error(action, number)
