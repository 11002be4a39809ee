# SPDX-License-Identifier: MIT
"""``physbuf peek | poke | load | clean | ring | wait``."""

from __future__ import annotations

from .errors import DONE, FAULT, PhysbufError
from .place import Place, find_place
from .region import Region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any, BinaryIO

    Answer = tuple[int, dict[str, Any]]

__all__ = ["clean", "load", "peek", "poke", "ring", "show", "wait"]


def peek(args: Namespace) -> Answer:
    """Read one value, or several one behind the other."""
    from .access import peek as read

    place = _point(args.place)
    width, count = _integer("--width", args.width), _integer("--count", args.count)
    with Region.open(place.target) as region:
        values = read(region, place.offset, width, count)
        return DONE, _at(region, place.offset) | {"width": width, "values": values}


def poke(args: Namespace) -> Answer:
    """Write one value."""
    from .access import poke as write

    place = _point(args.place)
    width, value = _integer("--width", args.width), _integer("value", args.value)
    with Region.open(place.target, writable=True) as region:
        write(region, place.offset, width, value)
        return DONE, _at(region, place.offset) | {"width": width, "value": value}


def load(args: Namespace, stdin: BinaryIO | None) -> Answer:
    """Copy a file into a region, and read it back."""
    from contextlib import nullcontext

    from .load import load as copy
    from .load import read_back

    place = _point(args.place)
    if args.file == "-" and stdin is None:
        raise PhysbufError("load -: there is no standard input here; name a file")
    name = "standard input" if args.file == "-" else args.file
    with (
        nullcontext(stdin) if args.file == "-" else open(args.file, "rb") as source,
        Region.open(place.target, writable=True) as region,
    ):
        assert source is not None
        size, crc = copy(source, name, region, place.offset)
        found = read_back(region, place.offset, size)
        answer = _at(region, place.offset) | {"bytes": size, "crc32c": crc, "read_back": found}
        return DONE if found == crc else FAULT, answer


def clean(args: Namespace) -> Answer:
    """Write a region, or a part of it, back from the caches to memory."""
    place = find_place(args.place)
    with Region.open(place.target, writable=True) as region:
        rest = region.size - place.offset
        length = rest if place.length is None else place.length
        if not 0 < length <= rest:
            raise PhysbufError(
                f"{args.place}: not a part of region {region.target!r}, which has {region.size:#x} bytes; name one"
            )
        region.clean(place.offset, length)
        return DONE, _at(region, place.offset) | {"bytes": length}


def ring(args: Namespace) -> Answer:
    """Wake who waits for a region."""
    with Region.open(args.region, writable=True) as region:
        region.ring()
        return DONE, {"region": region.name}


def wait(args: Namespace) -> Answer:
    """Wait until a region is rung."""
    timeout = None if args.timeout is None else _seconds(args.timeout)
    with Region.open(args.region) as region:
        rings = region.wait(timeout)
        return DONE if rings else FAULT, {"region": region.name, "rings": rings}


def show(command: str, answer: dict[str, Any]) -> tuple[str, str]:
    """The answers for a reader."""
    region = answer["region"]
    if command == "ring":
        return f"{region}: rung", ""
    if command == "wait":
        return (f"{region}: rung {answer['rings']} times", "") if answer["rings"] else ("", f"{region}: nobody rang")
    if command == "peek":
        return "\n".join(_line(answer, i, value) for i, value in enumerate(answer["values"])), ""
    if command == "poke":
        return _line(answer, 0, answer["value"]), ""
    where = f"{region}: {answer['bytes']} bytes from {answer['offset']:#x} on"
    if command == "clean":
        return f"{where} cleaned", ""
    if answer["read_back"] != answer["crc32c"]:
        note = f"{where} written with CRC32C {answer['crc32c']:08x}, but what reads back has {answer['read_back']:08x}"
        return "", f"{note}; somebody else writes there, or the memory is bad"
    return f"{where} written and read back, CRC32C {answer['crc32c']:08x}", ""


def _point(text: str) -> Place:
    place = find_place(text)
    if place.length is not None:
        raise PhysbufError(f"{text!r}: a length is for physbuf clean only; leave it out")
    return place


def _at(region: Region, offset: int) -> dict[str, Any]:
    address = None if region.base is None else region.base + offset
    return {"region": region.name, "offset": offset, "address": address}


def _line(answer: dict[str, Any], index: int, value: int) -> str:
    step, digits = index * answer["width"], 2 * answer["width"]
    if answer["address"] is None:
        return f"{answer['region']}+{answer['offset'] + step:#x}: 0x{value:0{digits}x}"
    return f"{answer['address'] + step:#x}: 0x{value:0{digits}x}"


def _integer(what: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise PhysbufError(f"{what} {text!r}: not a number; write it decimal or as 0x…") from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise PhysbufError(f"--timeout {text!r}: not a number of seconds; write it as 10 or 0.5")
    return seconds
