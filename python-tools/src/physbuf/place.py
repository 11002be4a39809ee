# SPDX-License-Identifier: MIT
"""Where a command is to work: ``REGION``, ``REGION+OFFSET``, ``REGION+OFFSET+LENGTH`` or a physical address."""

from __future__ import annotations

from .commands import parse_bytes
from .errors import PhysbufError
from .info import info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Place", "find_place"]


class Place:
    """A region's name or path, an offset in it in bytes, and a length if one was given."""

    __slots__ = ("length", "offset", "target")

    def __init__(self, target: str, offset: int, length: int | None = None) -> None:
        self.target = target
        self.offset = offset
        self.length = length


def find_place(text: str, root: str = "/") -> Place:
    """The place that a user names; PhysbufError when a physical address lies in no region.

    A ``+`` and a number behind it are no part of a name or a path: write ``./a+1+0`` for the beginning of a file a+1.
    ``root`` is where /sys is.
    """
    if text[:1].isdecimal():
        return _of_address(parse_bytes("address", text), root)
    words = text.split("+")
    numbers: list[int] = []
    while len(words) > 1 and len(numbers) < 2 and words[-1][:1].isdecimal():
        numbers.insert(0, parse_bytes("offset", words.pop()))
    target = "+".join(words)
    if "+" in target and "/" not in target:
        raise PhysbufError(f"{text!r}: not a place; write it as log, log+0x100, log+4K+64 or as an address, 0x30000100")
    return Place(target, *numbers) if numbers else Place(target, 0)


def _of_address(address: int, root: str) -> Place:
    regions = [region for region in info(root=root)["regions"] if region["base"] is not None and region["size"]]
    for region in regions:
        if region["base"] <= address < region["base"] + region["size"]:
            return Place(region["name"], address - region["base"])
    known = ", ".join(_range(region) for region in regions)
    there = f"there are: {known}" if known else "there is none that has an address (physbuf doctor tells why)"
    raise PhysbufError(f"address {address:#x}: in no region; {there}")


def _range(region: dict[str, Any]) -> str:
    return f"{region['name']} {region['base']:#x}-{region['base'] + region['size'] - 1:#x}"
