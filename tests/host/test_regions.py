# SPDX-License-Identifier: MIT
"""The written form of regions: what is parsed is what was meant, and a refusal says what is wrong and what is right."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physbuf import PhysbufError
from physbuf.regions import CACHES, METHODS, PAGE, RegionSpec, format_size, parse_region, parse_regions

FORM = "name@place+size[,cache=wb|wc|uc|device][,role=state][,method=memmap|dt|reserve_mem|mem|pmem], as in log@0x30"
PAGES = (1 << 64) // PAGE


NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,30}", fullmatch=True)
LABELS = st.from_regex(r"[A-Za-z0-9_-]{1,15}", fullmatch=True)
DEVICES = st.from_regex(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]", fullmatch=True)


@st.composite
def specs(draw: st.DrawFn) -> RegionSpec:
    name, kind = draw(NAMES), draw(st.sampled_from(sorted(CACHES)))
    cache = draw(st.sampled_from(CACHES[kind]))
    first = draw(st.integers(0, PAGES - 1))
    base, size = first * PAGE, draw(st.integers(1, PAGES - first)) * PAGE
    labelled = draw(st.booleans())
    if kind == "reserved" and labelled:
        return RegionSpec(name, 0, size, label=draw(LABELS))
    if kind == "reserved":
        method = draw(st.sampled_from([method for method in METHODS if method != "reserve_mem"]))
        return RegionSpec(name, base, size, method, cache, role=draw(st.sampled_from(["", "state"])))
    if kind == "regs" and labelled:
        return RegionSpec(name, 0, 0, cache=cache, kind=kind, label=f"{draw(DEVICES)}:{draw(st.integers(0, 5))}")
    return RegionSpec(name, base if kind == "regs" else 0, size, cache=cache, kind=kind)


@settings(deadline=None)
@given(specs())
def test_what_is_written_parses_back(spec: RegionSpec) -> None:
    parsed = parse_region(str(spec))
    assert parsed == spec
    assert [getattr(parsed, what) for what in RegionSpec.__slots__] == [
        getattr(spec, what) for what in RegionSpec.__slots__
    ]
    assert hash(parsed) == hash(spec)


@settings(deadline=None)
@given(st.integers(0, 1 << 64))
def test_a_size_is_written_without_loss(size: int) -> None:
    text = format_size(size)
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    assert int(text.rstrip("KMG")) * units.get(text[-1], 1) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0"), (1, "1"), (1536 << 10, "1536K"), (16 << 20, "16M"), (1 << 30, "1G"), (1 << 40, "1024G"), (4097, "4097")],
)
def test_a_size_is_written_in_its_largest_unit(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "base", "size"),
    [
        ("a@0+4096", 0, 4096),
        ("a@0x1000+0x2000", 0x1000, 0x2000),
        ("a@4K+8K", 4096, 8192),
        ("a@0x10M+1G", 0x10 << 20, 1 << 30),
        ("a@768M+1536K", 768 << 20, 1536 << 10),
        ("a@020K+040K", 20480, 40960),  # a leading zero is no octal number
        ("a@0XF", None, None),
        ("a@0xFfFfFfFfFfFfF000+4K", 0xFFFFFFFFFFFFF000, 4096),  # up to the last byte of 64 bits
    ],
)
def test_numbers(text: str, base: int | None, size: int | None) -> None:
    if base is None:
        with pytest.raises(PhysbufError):
            parse_region(text)
        return
    region = parse_region(text)
    assert (region.base, region.size) == (base, size)


def test_defaults_options_and_the_manifest_form() -> None:
    plain = parse_region("log@0x30000000+16M")
    assert (plain.method, plain.cache, plain.end) == ("memmap", "wb", 0x31000000)
    chosen = parse_region("log@0x30000000+16M,method=dt,cache=wc")
    assert chosen != plain
    assert chosen.as_dict() == {
        "name": "log",
        "kind": "reserved",
        "base": 0x30000000,
        "size": 16 << 20,
        "method": "dt",
        "cache": "wc",
        "role": "",
        "spec": "log@0x30000000+16M,cache=wc,method=dt",
    }


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("boots@0x31180000+4K,role=state", ("reserved", 0x31180000, 4096, "memmap", "wb", "state", "", True)),
        ("log@0x1000+4K,cache=device", ("reserved", 0x1000, 4096, "memmap", "device", "", "", True)),
        ("log@reserve_mem:oops+16M", ("reserved", 0, 16 << 20, "reserve_mem", "wb", "", "oops", False)),
        ("frames@dma+64M", ("dma", 0, 64 << 20, "", "coherent", "", "", False)),
        ("scratch@pages+1M", ("pages", 0, 1 << 20, "", "wb", "", "", False)),
        ("big@vmalloc+64M", ("vmalloc", 0, 64 << 20, "", "wb", "", "", False)),
        ("uart@regs:0xfe001000+4K", ("regs", 0xFE001000, 4096, "", "device", "", "", True)),
        ("uart@regs:0xfe001000+4K,cache=wc", ("regs", 0xFE001000, 4096, "", "wc", "", "", True)),
        ("edu@bar:0000:00:04.0:0", ("regs", 0, 0, "", "device", "", "0000:00:04.0:0", False)),
        ("edu@bar:0000:00:04.0:0,cache=uc", ("regs", 0, 0, "", "uc", "", "0000:00:04.0:0", False)),
    ],
)
def test_kinds_and_roles(text: str, facts: tuple[object, ...]) -> None:
    spec = parse_region(text)
    names = ("kind", "base", "size", "method", "cache", "role", "label", "has_address")
    assert tuple(getattr(spec, name) for name in names) == facts
    assert str(spec) == text
    assert spec.as_dict()["spec"] == text


NUMBER = "is not a number with an optional K, M or G"


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("Log@0+4K", "'Log'", "must match [a-z][a-z0-9_-]*"),
        ("1log@0+4K", "'1log'", "must match [a-z][a-z0-9_-]*"),
        ("@0+4K", "''", "must match [a-z][a-z0-9_-]*"),
        ("lög@0+4K", "'lög'", "must match [a-z][a-z0-9_-]*"),
        ("a/b@0+4K", "'a/b'", "must match [a-z][a-z0-9_-]*"),
        (f"{'a' * 32}@0+4K", repr("a" * 32), "with at most 31 characters"),
        ("log@0x100+4K", "the base 0x100", "is not a multiple of the page size 0x1000"),
        ("log@0+100", "the size 0x64", "is not a multiple of the page size 0x1000"),
        ("log@0x1000+0", "the size", "is zero"),
        ("log@0xfffffffffffff000+8K", "base+size", "is beyond 64 bits"),
        ("log@0x10000000000000000+4K", "base+size", "is beyond 64 bits"),
        (f"log@{'9' * 5000}+4K", "the base", NUMBER),
        ("log@0+4K,size=4K", "'size=4K'", FORM),
        ("log@0+4K,cache", "'cache'", FORM),
        ("log@0+4K,", "''", FORM),
        ("log@0+4K,cache=ro", "'ro'", "known: wb, wc, uc, device"),
        ("log@0+4K,cache=", "'cache='", "has no value"),
        ("boots@0+4K,role=king", "'king'", "known: state"),
        ("boots@dma+4K,role=state", "role=state", "it needs reserved RAM, not dma"),
        ("boots@reserve_mem:boots+4K,role=state", "role=state", "it needs a fixed address"),
        ("a@dma+4K,cache=wb", "'wb'", "for the kind dma; known: coherent"),
        ("a@pages+4K,cache=wc", "'wc'", "for the kind pages; known: wb"),
        ("a@vmalloc+4K,cache=uc", "'uc'", "for the kind vmalloc; known: wb"),
        ("a@regs:0x1000+4K,cache=wb", "'wb'", "for the kind regs; known: device, uc, wc"),
        ("a@dma+4K,method=dt", "method=dt", "not for dma; leave it out"),
        ("a@dma+0", "the size", "is zero"),
        ("a@dma+1", "the size 0x1", "is not a multiple"),
        ("a@dma", "'a@dma'", FORM),
        ("a@dma:1+4K", "the base 'dma:1'", NUMBER),
        ("a@pages:1+4K", "the base 'pages:1'", NUMBER),
        ("a@heap+4K", "the base 'heap'", NUMBER),
        ("a@regs+4K", "the base 'regs'", NUMBER),
        ("a@regs:+4K", "the base ''", NUMBER),
        ("a@regs:0x10+4K", "the base 0x10", "is not a multiple"),
        ("a@reserve_mem:+4K", "'reserve_mem:'", "names nothing"),
        ("a@reserve_mem:log", "'a@reserve_mem:log'", FORM),
        ("a@reserve_mem:log:1+4K", "'log:1'", "1 to 15 of A-Z"),
        (f"a@reserve_mem:{'x' * 16}+4K", repr("x" * 16), "1 to 15 of A-Z"),
        ("a@reserve_mem:log+4K,cache=wc", "not wc", "cache=wb only"),
        ("a@reserve_mem:log+4K,method=memmap", "a@reserve_mem:log+4K", "write a@reserve_mem:LABEL+4K"),
        ("a@0x1000+4K,method=reserve_mem", "a@0x1000+4K", "write a@reserve_mem:LABEL+4K"),
        ("a@bar:", "'bar:'", "names nothing"),
        ("a@bar:0000:00:04.0:0+4K", "bar:0000:00:04.0:0", FORM),
        ("a@bar:00:04.0:0", "'00:04.0:0'", "as bar:0000:00:04.0:0"),
        ("a@bar:0000:00:04.0:6", "'0000:00:04.0:6'", "as bar:0000:00:04.0:0"),
        ("a@bar:0000:00:24.0:0", "'0000:00:24.0:0'", "as bar:0000:00:04.0:0"),
        ("log@0+4K,method=magic", "'magic'", "known: memmap, dt, reserve_mem, mem, pmem"),
        ("log", "'log'", FORM),
        ("log@0x30000000", "'log@0x30000000'", FORM),
        ("log+4K", "'log+4K'", FORM),
        ("log@+4K", "the base ''", FORM),
        ("log@0+", "the size ''", FORM),
        ("log@zero+4K", "the base 'zero'", NUMBER),
        ("log@0+16m", "the size '16m'", NUMBER),
        ("log@0+16MB", "the size '16MB'", NUMBER),
        ("log@-4096+4K", "the base '-4096'", NUMBER),
        ("log@0+1.5M", "the size '1.5M'", NUMBER),
        ("log@0x+4K", "the base '0x'", NUMBER),
        ("log@0+1_6M", "the size '1_6M'", NUMBER),
        ("log@٤+4K", "the base '٤'", NUMBER),  # a digit of another script
        ("log@0+4K\n", "the size '4K\\n'", NUMBER),
    ],
)
def test_a_refusal_names_the_value_and_the_right_form(text: str, value: str, why: str) -> None:
    with pytest.raises(PhysbufError) as refused:
        parse_region(text)
    message = str(refused.value)
    assert refused.value.exit_code == 2
    assert message.startswith("region '")
    assert "\n" not in message
    assert text.split("@")[0].split("+")[0] in message
    assert value in message
    assert why in message


@pytest.mark.parametrize("separator", [" ", ";", "; ", "\n", "\t ", ";;"])
def test_several_regions(separator: str) -> None:
    words = ["log@0x30000000+16M", "legacy@0x31000000+1536K", "high@4G+4K"]
    assert [str(region) for region in parse_regions(separator.join(["", *words, ""]))] == [
        *words[:2],
        "high@0x100000000+4K",
    ]


@pytest.mark.parametrize("text", ["", "  ", ";", "\n;\t"])
def test_no_region_at_all_is_refused(text: str) -> None:
    with pytest.raises(PhysbufError) as refused:
        parse_regions(text)
    assert "PHYSBUF_REGIONS is empty" in str(refused.value)
    assert FORM in str(refused.value)


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(PhysbufError) as refused:
        parse_regions("log@0+4K other@8K+4K log@16K+4K")
    assert "'log'" in str(refused.value)
    assert "log@0x0+4K and log@0x4000+4K" in str(refused.value)
    assert str(refused.value).endswith("rename one")


@pytest.mark.parametrize("second", ["b@0+4K", "b@0x1000+4K", "b@0x4000+4K", "b@0+64K", "b@0x2000+64K"])
def test_an_overlap_is_refused_in_either_order(second: str) -> None:
    first = "a@0x0+20K"
    other = str(parse_region(second))
    for text in (f"{first} x@1G+4K {second}", f"{second} x@1G+4K {first}"):
        with pytest.raises(PhysbufError) as refused:
            parse_regions(text)
        message = str(refused.value)
        assert first in message
        assert other in message
        assert message.endswith("overlap; move one")


def test_neighbours_do_not_overlap() -> None:
    assert len(parse_regions("b@4K+4K a@0+4K c@8K+4K")) == 3


def test_only_what_has_an_address_can_overlap() -> None:
    text = "log@0+64M frames@dma+64M more@dma+64M"
    text += " a@pages+1M b@vmalloc+1M c@reserve_mem:c+64M d@bar:0000:00:04.0:0"
    assert len(parse_regions(text)) == 7
    with pytest.raises(PhysbufError, match="overlap"):
        parse_regions("log@0+64M uart@regs:0x1000+4K")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a@reserve_mem:log+4K b@reserve_mem:log+8K", "are the same reserve_mem:log; take one out"),
        ("a@bar:0000:00:04.0:0 b@bar:0000:00:04.0:0,cache=uc", "are the same bar:0000:00:04.0:0"),
        ("a@0+4K,role=state b@4K+4K,role=state", "two regions have role=state"),
    ],
)
def test_what_can_be_there_only_once(text: str, says: str) -> None:
    with pytest.raises(PhysbufError) as refused:
        parse_regions(text)
    assert says in str(refused.value)
    assert all(str(parse_region(word)) in str(refused.value) for word in text.split())


def test_pages_and_vmalloc_have_no_label() -> None:
    with pytest.raises(PhysbufError, match="'x' must be left out here"):
        RegionSpec("a", 0, PAGE, kind="pages", label="x")
    with pytest.raises(PhysbufError, match="unknown kind 'heap'; known: reserved, dma, pages, vmalloc, regs"):
        RegionSpec("a", 0, PAGE, kind="heap", label="x")
