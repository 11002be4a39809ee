# SPDX-License-Identifier: MIT
"""What a region is and how it is written: ``name@place[+size][,cache=wb][,role=state][,method=memmap]``.

``PHYSBUF_REGIONS`` holds one or more of them, separated by white space or ``;``. This is the one place that parses
and formats them; the builds, the boot loaders' configuration and the doctor all stand on it.
"""

from __future__ import annotations

import re

from .errors import PhysbufError

__all__ = ["PAGE", "RegionSpec", "format_size", "parse_region", "parse_regions"]

PAGE = 4096
METHODS = ("memmap", "dt", "reserve_mem", "mem", "pmem")
ROLES = ("state",)
# The memory types that each kind may have; the first is the default.
CACHES = {
    "reserved": ("wb", "wc", "uc", "device"),
    "dma": ("coherent",),
    "pages": ("wb",),
    "vmalloc": ("wb",),
    "regs": ("device", "uc", "wc"),
}
FORM = (
    "name@place+size[,cache=wb|wc|uc|device][,role=state][,method=memmap|dt|reserve_mem|mem|pmem], as in "
    "log@0x30000000+16M; the place is an address, reserve_mem:LABEL, dma, pages, vmalloc, regs:ADDRESS, or, "
    "without a size, bar:PCI:NUMBER; PCI is DOMAIN:BUS:DEVICE.FUNCTION"
)

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_SIZE = re.compile(r"(0x[0-9a-fA-F]{1,32}|[0-9]{1,32})([KMG]?)")
_SHIFT = {"": 0, "K": 10, "M": 20, "G": 30}
_BAR = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]:[0-5]")
# What a label may be, by the word before it.
_LABELS = {
    "reserve_mem": (re.compile(r"[A-Za-z0-9_-]{1,15}"), "1 to 15 of A-Z a-z 0-9 _ -"),
    "bar": (_BAR, "a BAR of a PCI device, as bar:0000:00:04.0:0 (lspci -D has the first part)"),
}
_LABELLED = {"reserved": "reserve_mem", "regs": "bar"}


class RegionSpec:
    """A region as declared.

    ``base`` and ``size`` are in bytes, whole pages; 0 where the declaration does not say: the base of what the kernel
    places, both of a PCI BAR. ``kind`` is what it is made of, ``role`` is ``state`` or empty. ``method`` says how the
    boot reserves it, and is empty for all kinds but ``reserved``. ``label`` is what finds a region that has no address:
    the name of a ``reserve_mem=``, or the BAR of a PCI device as ``0000:00:04.0:0``.
    """

    __slots__ = ("base", "cache", "kind", "label", "method", "name", "role", "size")

    def __init__(
        self,
        name: str,
        base: int,
        size: int,
        method: str = "",
        cache: str = "",
        kind: str = "reserved",
        role: str = "",
        label: str = "",
    ) -> None:
        self.name = name
        self.base = base
        self.size = size
        self.kind = kind
        self.role = role
        self.label = label
        default_method = "reserve_mem" if label else "memmap"
        self.method = method or (default_method if kind == "reserved" else "")
        self.cache = cache or (CACHES[kind][0] if kind in CACHES else "")
        self._check()

    @property
    def end(self) -> int:
        """The first address behind the region."""
        return self.base + self.size

    @property
    def has_address(self) -> bool:
        """Whether ``base`` is where it lies, on every boot."""
        return self.kind in ("reserved", "regs") and not self.label

    @property
    def place(self) -> str:
        """What is written between the ``@`` and the ``+``."""
        if self.label:
            return f"{_LABELLED.get(self.kind, self.kind)}:{self.label}"
        return {"reserved": f"{self.base:#x}", "regs": f"regs:{self.base:#x}"}.get(self.kind, self.kind)

    def overlaps(self, other: RegionSpec) -> bool:
        """Whether the two are known to share a byte."""
        return self.has_address and other.has_address and self.base < other.end and other.base < self.end

    def as_dict(self) -> dict[str, str | int]:
        """The region as the manifest holds it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "base": self.base,
            "size": self.size,
            "method": self.method,
            "cache": self.cache,
            "role": self.role,
            "spec": str(self),
        }

    def __str__(self) -> str:
        text = f"{self.name}@{self.place}"
        if self.size or not self.place.startswith("bar:"):
            text += f"+{format_size(self.size)}"
        if self.kind in CACHES and self.cache != CACHES[self.kind][0]:
            text += f",cache={self.cache}"
        if self.role:
            text += f",role={self.role}"
        if self.method and self.method != ("reserve_mem" if self.label else "memmap"):
            text += f",method={self.method}"
        return text

    def __repr__(self) -> str:
        return f"RegionSpec({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegionSpec) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(str(self))

    def _check(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise self._refused(f"the name {self.name!r} must match [a-z][a-z0-9_-]* with at most 31 characters")
        if self.kind not in CACHES:
            raise self._refused(f"unknown kind {self.kind!r}; known: {', '.join(CACHES)}")
        self._check_label()
        for what, value in (("base", self.base), ("size", self.size)):
            if value % PAGE:
                raise self._refused(f"the {what} {value:#x} is not a multiple of the page size {PAGE:#x}")
        if self.size == 0 and not self.place.startswith("bar:"):
            raise self._refused("the size is zero")
        if self.end > 1 << 64:
            raise self._refused("base+size is beyond 64 bits")
        self._check_options()

    def _check_label(self) -> None:
        if not self.label:
            return
        pattern, form = _LABELS[_LABELLED[self.kind]] if self.kind in _LABELLED else (None, "left out here")
        if pattern is None or not pattern.fullmatch(self.label):
            raise self._refused(f"{self.label!r} must be {form}")

    def _check_options(self) -> None:
        caches = CACHES[self.kind]
        if self.cache not in caches:
            raise self._refused(
                f"unknown cache attribute {self.cache!r} for the kind {self.kind}; known: {', '.join(caches)}"
            )
        if self.kind == "reserved" and self.label and self.cache != "wb":
            raise self._refused(f"the kernel maps what reserve_mem= keeps: cache=wb only, not {self.cache}")
        if self.role not in ("", *ROLES):
            raise self._refused(f"unknown role {self.role!r}; known: {', '.join(ROLES)}")
        if self.role and self.kind != "reserved":
            raise self._refused(f"role={self.role} must survive a reset: it needs reserved RAM, not {self.kind}")
        if self.role and self.label:
            raise self._refused(f"role={self.role} must be found where it was: it needs a fixed address")
        if self.kind != "reserved":
            if self.method:
                raise self._refused(f"method={self.method} is for reserved RAM, not for {self.kind}; leave it out")
        elif self.method not in METHODS:
            raise self._refused(f"unknown method {self.method!r}; known: {', '.join(METHODS)}")
        elif (self.method == "reserve_mem") != bool(self.label):
            raise self._refused(
                "method=reserve_mem lets the kernel choose the address, and the module finds it by a label: write "
                f"{self.name}@reserve_mem:LABEL+{format_size(self.size)}"
            )

    def _refused(self, why: str) -> PhysbufError:
        return _refused(str(self), why)


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
            if one.label and one.kind != "dma" and one.place == other.place:
                raise PhysbufError(f"the regions {other} and {one} are the same {one.place}; take one out")
            if one.role and one.role == other.role:
                raise PhysbufError(f"two regions have role={one.role} ({other} and {one}); only one may")
    return regions


def parse_region(text: str) -> RegionSpec:
    """One region from its written form, or PhysbufError with the right form."""
    head, *options = text.split(",")
    name, at, span = head.partition("@")
    place, plus, size = span.partition("+")
    found = _parse_place(text, place)
    if not at or bool(plus) == place.startswith("bar:"):
        raise _refused(text, f"the form is {FORM}")
    chosen = {"method": "", "cache": "", "role": ""}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or key not in chosen:
            raise _refused(text, f"unknown option {option!r}; the form is {FORM}")
        if not value:
            raise _refused(text, f"the option {option!r} has no value; the form is {FORM}")
        chosen[key] = value
    base = _number(text, "base", found["base"])
    return RegionSpec(
        name, base, _number(text, "size", size) if plus else 0, kind=found["kind"], label=found["label"], **chosen
    )


def format_size(size: int) -> str:
    """A size in the largest unit that divides it: 1536K, 16M."""
    for unit in "GMK":
        if size and size % (1 << _SHIFT[unit]) == 0:
            return f"{size >> _SHIFT[unit]}{unit}"
    return str(size)


def _parse_place(region: str, place: str) -> dict[str, str]:
    """The kind, the base and the label that a place names."""
    how, colon, rest = place.partition(":")
    if how in _LABELS and colon:
        if not rest:
            raise _refused(region, f"{place!r} names nothing; the form is {FORM}")
        kind = next(kind for kind, word in _LABELLED.items() if word == how)
        return {"kind": kind, "base": "0", "label": rest}
    if how == "regs" and colon:
        return {"kind": "regs", "base": rest, "label": ""}
    if place in ("dma", "pages", "vmalloc"):
        return {"kind": place, "base": "0", "label": ""}
    return {"kind": "reserved", "base": place, "label": ""}


def _number(region: str, what: str, text: str) -> int:
    match = _SIZE.fullmatch(text)
    if not match:
        raise _refused(region, f"the {what} {text!r} is not a number with an optional K, M or G; the form is {FORM}")
    return int(match[1], 0 if match[1].startswith("0x") else 10) << _SHIFT[match[2]]


def _refused(region: str, why: str) -> PhysbufError:
    return PhysbufError(f"region {region!r}: {why}")
