# SPDX-License-Identifier: MIT
"""What a region is and how it is written: ``name@base+size[,cache=wb][,method=memmap]``.

``PHYSBUF_REGIONS`` holds one or more of them, separated by white space or ``;``. This is the one place that parses
and formats them; the builds, the boot loaders' configuration and the doctor all stand on it.
"""

from __future__ import annotations

import re

from .errors import PhysbufError

__all__ = ["PAGE", "RegionSpec", "format_size", "parse_region", "parse_regions"]

PAGE = 4096
METHODS = ("memmap", "dt", "reserve_mem", "mem", "pmem")
CACHES = ("wb", "wc", "uc")
FORM = "name@base+size[,cache=wb|wc|uc][,method=memmap|dt|reserve_mem|mem|pmem], as in log@0x30000000+16M"

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_SIZE = re.compile(r"(0x[0-9a-fA-F]{1,32}|[0-9]{1,32})([KMG]?)")
_SHIFT = {"": 0, "K": 10, "M": 20, "G": 30}


class RegionSpec:
    """A region as declared: ``base`` and ``size`` in bytes, both whole pages."""

    __slots__ = ("base", "cache", "method", "name", "size")

    def __init__(self, name: str, base: int, size: int, method: str = "memmap", cache: str = "wb") -> None:
        self.name = name
        self.base = base
        self.size = size
        self.method = method
        self.cache = cache
        self._check()

    @property
    def end(self) -> int:
        """The first address behind the region."""
        return self.base + self.size

    def _check(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise _refused(str(self), f"the name {self.name!r} must match [a-z][a-z0-9_-]* with at most 31 characters")
        for what, value in (("base", self.base), ("size", self.size)):
            if value % PAGE:
                raise _refused(str(self), f"the {what} {value:#x} is not a multiple of the page size {PAGE:#x}")
        if self.size == 0:
            raise _refused(str(self), "the size is zero")
        if self.end > 1 << 64:
            raise _refused(str(self), "base+size is beyond 64 bits")
        if self.method not in METHODS:
            raise _refused(str(self), f"unknown method {self.method!r}; known: {', '.join(METHODS)}")
        if self.cache not in CACHES:
            raise _refused(str(self), f"unknown cache attribute {self.cache!r}; known: {', '.join(CACHES)}")

    def overlaps(self, other: RegionSpec) -> bool:
        """Whether the two share a byte."""
        return self.base < other.end and other.base < self.end

    def as_dict(self) -> dict[str, str | int]:
        """The region as the manifest holds it."""
        return {
            "name": self.name,
            "base": self.base,
            "size": self.size,
            "method": self.method,
            "cache": self.cache,
            "spec": str(self),
        }

    def __str__(self) -> str:
        text = f"{self.name}@{self.base:#x}+{format_size(self.size)}"
        if self.cache != "wb":
            text += f",cache={self.cache}"
        if self.method != "memmap":
            text += f",method={self.method}"
        return text

    def __repr__(self) -> str:
        return f"RegionSpec({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegionSpec) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(str(self))


def parse_regions(text: str) -> list[RegionSpec]:
    """The regions of a ``PHYSBUF_REGIONS``; names are unique and ranges apart, or PhysbufError says which are not."""
    regions = [parse_region(word) for word in text.replace(";", " ").split()]
    if not regions:
        raise PhysbufError(f"PHYSBUF_REGIONS is empty; give at least one region: {FORM}")
    for i, one in enumerate(regions):
        for other in regions[:i]:
            if one.name == other.name:
                raise PhysbufError(f"two regions are called {one.name!r} ({other} and {one}); rename one")
            if one.overlaps(other):
                raise PhysbufError(f"the regions {other} and {one} overlap; move one")
    return regions


def parse_region(text: str) -> RegionSpec:
    """One region from its written form, or PhysbufError with the right form."""
    place, *options = text.split(",")
    name, at, span = place.partition("@")
    base, plus, size = span.partition("+")
    if not at or not plus:
        raise _refused(text, f"the form is {FORM}")
    chosen = {"method": "memmap", "cache": "wb"}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or key not in chosen:
            raise _refused(text, f"unknown option {option!r}; the form is {FORM}")
        chosen[key] = value
    return RegionSpec(name, _number(text, "base", base), _number(text, "size", size), **chosen)


def format_size(size: int) -> str:
    """A size in the largest unit that divides it: 1536K, 16M."""
    for unit in "GMK":
        if size and size % (1 << _SHIFT[unit]) == 0:
            return f"{size >> _SHIFT[unit]}{unit}"
    return str(size)


def _number(region: str, what: str, text: str) -> int:
    match = _SIZE.fullmatch(text)
    if not match:
        raise _refused(region, f"the {what} {text!r} is not a number with an optional K, M or G; the form is {FORM}")
    return int(match[1], 0 if match[1].startswith("0x") else 10) << _SHIFT[match[2]]


def _refused(region: str, why: str) -> PhysbufError:
    return PhysbufError(f"region {region!r}: {why}")
