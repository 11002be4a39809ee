# SPDX-License-Identifier: MIT
"""What is written into a boot loader's configuration reads back as the kernel's literal argument.

Each reader here is written from the loader's manual, not from our writer; for the shell it is the shell itself.
"""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physbuf import PhysbufError
from physbuf.regions import PAGE, RegionSpec, parse_region, parse_regions
from physbuf.reservation import (
    SINKS,
    boot_arguments,
    for_sink,
    memmap_argument,
    module_parameter,
    reserve_mem_argument,
    uboot_script,
)

# Visible ASCII: what a kernel argument may consist of.
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
NOT_BY_UBOOT = "'\\"
NOT_BY_GRUB = "\"'\\"  # its command `linux` puts a backslash before each, whatever the configuration says
SIMPLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=NOT_BY_GRUB)
UBOOT = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=NOT_BY_UBOOT)
ARGUMENTS, GRUB_ARGUMENTS, UBOOT_ARGUMENTS = (
    st.lists(st.text(letters, min_size=1, max_size=30), min_size=1, max_size=5).map(" ".join)
    for letters in (VISIBLE, SIMPLE, UBOOT)
)
SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def read_by_grub(text: str) -> list[str]:
    """The words of one GRUB command as its manual gives the rules ("Quoting", "Variable expansion").

    No variable is set, so that each expands to nothing. What ends a command or begins a comment is refused.
    """
    words: list[str] = []
    word: str | None = None
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":  # removes the special meaning of the next character
            word = (word or "") + text[at]
            at += 1
        elif char == "'":
            end = text.index("'", at)
            word = (word or "") + text[at:end]
            at = end + 1
        elif char == '"':
            word = word or ""
            while text[at] != '"':
                if text[at] == "\\" and text[at + 1] in '$"\\':
                    at += 1
                    word += text[at]
                    at += 1
                elif text[at] == "$":
                    at = _behind_variable(text, at + 1)
                else:
                    word += text[at]
                    at += 1
            at += 1
        elif char == "$":
            at = _behind_variable(text, at)
        elif char in " \t":
            if word is not None:
                words.append(word)
            word = None
        elif char in "{}|&;<>\n" or (char == "#" and word is None):
            raise ValueError(f"{char!r} at {at - 1} is not part of a word: {text!r}")
        else:
            word = (word or "") + char
    return words if word is None else [*words, word]


def _behind_variable(text: str, at: int) -> int:
    """Where a variable's name ends: ${name}, digits, one of ?*@#, or letters, digits and underscores."""
    if text[at : at + 1] == "{":
        return text.index("}", at) + 1
    if text[at : at + 1] in ("?", "*", "@", "#"):
        return at + 1
    letters = str.isdigit if text[at : at + 1].isdigit() else lambda char: char.isalnum() or char == "_"
    while at < len(text) and letters(text[at]):
        at += 1
    return at


def read_by_shell(text: str) -> list[str]:
    done = subprocess.run(["sh", "-c", f"printf '%s\\0' {text}"], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def read_by_syslinux(text: str) -> list[str]:
    """APPEND takes the rest of its line as it stands."""
    line, *others = f"  APPEND {text}\n".splitlines()
    assert not others
    return line.removeprefix("  APPEND ").split(" ")


def read_by_uboot(command: str) -> list[str]:
    """The words of one command as U-Boot's hush gives the rules; no variable is set, so that each expands to nothing.

    Single quotes keep all but a backslash, which makes the next character plain everywhere.
    """
    words: list[str] = []
    word: str | None = None
    quoted = False
    at = 0
    while at < len(command):
        char = command[at]
        at += 1
        if char == "'":
            quoted, word = not quoted, word or ""
        elif char == "\\":
            word = (word or "") + command[at]
            at += 1
        elif char == "$" and not quoted:
            at = _behind_variable(command, at)
        elif char in " \t" and not quoted:
            if word is not None:
                words.append(word)
            word = None
        elif char in ';&|"\n' or (char == "#" and word is None and not quoted):
            if not quoted:
                raise ValueError(f"{char!r} at {at - 1} is not part of a word: {command!r}")
            word = (word or "") + char
        else:
            word = (word or "") + char
    assert not quoted, command
    return words if word is None else [*words, word]


Tree = dict[str, dict[str, object]]


def device_tree(script: str) -> Tree:
    """The nodes, by path, that U-Boot's ``fdt mknode`` and ``fdt set`` make, with cells as numbers."""
    nodes: Tree = {"/": {}}
    for line in script.splitlines():
        fdt, what, path, *words = read_by_uboot(line)
        assert fdt == "fdt"
        assert path in nodes, f"{path} is not there yet: {line}"
        if what == "mknode":
            (name,) = words
            made = f"{path.rstrip('/')}/{name}"
            assert made not in nodes
            nodes[made] = {}
        else:
            assert what == "set"
            name, *value = words
            text = " ".join(value)
            cells = text.startswith("<")
            assert not cells or text.endswith(">")
            nodes[path][name] = [int(word, 0) for word in text.strip("<>").split()] if cells else text
    return nodes


def read_memmap(argument: str) -> tuple[int, int]:
    """(base, size) as the kernel's parse_memmap_one() reads the argument."""
    size, base = argument.removeprefix("memmap=").split("$")
    return int(base, 0), int(size.rstrip("KMG"), 0) * SIZES.get(size[-1], 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"a\$0x3", ["a$0x3"]),
        ("memmap=16M$0x30000000", ["memmap=16Mx30000000"]),  # the classic mistake: $0 is a variable
        ("a$name.b ${x}c", ["a.b", "c"]),
        (r'"a \"b\" \c" d', [r'a "b" \c', "d"]),
        (r"'a $b \'", [r"a $b \ ".rstrip()]),
    ],
)
def test_the_reader_of_grub_knows_its_language(text: str, words: list[str]) -> None:
    assert read_by_grub(text) == words


@settings(deadline=None)
@given(GRUB_ARGUMENTS)
def test_grub_reads_the_literal_arguments(arguments: str) -> None:
    assert read_by_grub(for_sink("grub", arguments)) == arguments.split(" ")


@pytest.mark.parametrize("char", NOT_BY_GRUB)
def test_what_grub_cannot_pass_on_is_refused(char: str) -> None:
    with pytest.raises(PhysbufError) as refused:
        for_sink("grub", f"quiet dyndbg={char}x")
    assert f"GRUB cannot hand {char!r} to the kernel" in str(refused.value)
    assert "leave it out" in str(refused.value)


@settings(deadline=None)
@given(ARGUMENTS)
def test_syslinux_reads_the_literal_arguments(arguments: str) -> None:
    assert read_by_syslinux(for_sink("syslinux", arguments)) == arguments.split(" ")


@settings(deadline=None)
@given(UBOOT_ARGUMENTS)
def test_uboot_reads_the_literal_arguments(arguments: str) -> None:
    assert read_by_uboot(f"setenv bootargs {for_sink('uboot', arguments)}") == ["setenv", "bootargs", arguments]


@pytest.mark.parametrize("char", [*NOT_BY_UBOOT, "\n"])
def test_what_uboot_cannot_pass_on_is_refused(char: str) -> None:
    with pytest.raises(PhysbufError) as refused:
        for_sink("uboot", f"quiet dyndbg={char}x")
    assert f"U-Boot cannot hand {char!r} to the kernel" in str(refused.value)
    assert "leave it out" in str(refused.value)


@settings(deadline=None, max_examples=50)
@given(ARGUMENTS)
def test_the_shell_reads_the_literal_arguments(arguments: str) -> None:
    assert read_by_shell(for_sink("shell", arguments)) == [arguments]


@settings(deadline=None)
@given(st.integers(0, (1 << 40) - 1), st.integers(1, 1 << 22))
def test_the_kernel_reserves_what_was_declared(first: int, pages: int) -> None:
    region = RegionSpec("log", first * PAGE, pages * PAGE)
    assert read_memmap(memmap_argument(region)) == (region.base, region.size)
    for sink, read in (("grub", read_by_grub), ("syslinux", read_by_syslinux)):
        (argument,) = read(for_sink(sink, memmap_argument(region)))
        assert read_memmap(argument) == (region.base, region.size)


def test_the_default_regions() -> None:
    regions = parse_regions("log@0x30000000+16M legacy@0x31000000+1536K")
    arguments = "memmap=16M$0x30000000 memmap=1536K$0x31000000"
    assert boot_arguments(regions) == arguments
    assert for_sink("grub", arguments) == r"memmap=16M\$0x30000000 memmap=1536K\$0x31000000"
    assert for_sink("syslinux", arguments) == arguments
    assert read_by_shell(for_sink("shell", arguments)) == [arguments]


def test_every_sink_is_tested_here() -> None:
    assert set(SINKS) == {"grub", "shell", "syslinux", "uboot"}


def test_an_unknown_sink_is_refused() -> None:
    with pytest.raises(PhysbufError) as refused:
        for_sink("lilo", "memmap=16M$0x30000000")
    assert str(refused.value) == "unknown boot loader 'lilo'; known: grub, shell, syslinux, uboot"


@pytest.mark.parametrize("method", ["dt", "mem", "pmem"])
def test_only_memmap_can_be_written(method: str) -> None:
    region = parse_region(f"log@0x30000000+16M,method={method}")
    with pytest.raises(PhysbufError) as refused:
        boot_arguments([parse_region("a@0+4K"), region])
    message = str(refused.value)
    assert repr(str(region)) in message
    assert repr(method) in message
    assert "use method=memmap" in message


def test_the_module_parameter_is_one_word_that_parses_back() -> None:
    regions = parse_regions("log@0x30000000+16M legacy@0x31000000+1536K")
    value = module_parameter(regions)
    assert value == "log@0x30000000+16M;legacy@0x31000000+1536K"
    assert parse_regions(value) == regions


EVERY_KIND = (
    "log@0x30000000+16M,cache=wc boots@0x31180000+4K,role=state oops@reserve_mem:oops+1M frames@dma+64M "
    "scratch@pages+1M big@vmalloc+64M uart@regs:0xfe001000+4K edu@bar:0000:00:04.0:0,cache=uc"
)


def test_the_boot_reserves_only_what_is_reserved() -> None:
    regions = parse_regions(EVERY_KIND)
    arguments = "memmap=16M$0x30000000 memmap=4K$0x31180000 reserve_mem=1M:4096:oops"
    assert boot_arguments(regions) == arguments
    assert boot_arguments(regions[3:]) == ""
    for sink, read in (("grub", read_by_grub), ("syslinux", read_by_syslinux)):
        assert read(for_sink(sink, arguments)) == arguments.split(" ")


def test_the_module_gets_every_kind() -> None:
    regions = parse_regions(EVERY_KIND)
    assert module_parameter(regions) == EVERY_KIND.replace(" ", ";")
    assert parse_regions(module_parameter(regions)) == regions


@settings(deadline=None)
@given(st.integers(1, 1 << 40), st.from_regex(r"[A-Za-z0-9_-]{1,15}", fullmatch=True))
def test_the_kernel_reads_the_named_reservation(pages: int, label: str) -> None:
    region = RegionSpec("log", 0, pages * PAGE, label=label)
    size, align, name = reserve_mem_argument(region).removeprefix("reserve_mem=").split(":")
    assert int(size.rstrip("KMG"), 0) * SIZES.get(size[-1], 1) == region.size
    assert (int(align, 0), name) == (PAGE, label)


def test_the_device_tree_reserves_the_regions_of_method_dt() -> None:
    regions = parse_regions(
        "log@0x70000000+16M,method=dt boots@0x71180000+4K,role=state,method=dt wide@0x880000000+8G,cache=wc,method=dt "
        "legacy@0x71000000+1536K,method=dt frames@dma+64M"
    )
    tree = device_tree(uboot_script(regions, by_parameter={"legacy"}))
    memory = tree.pop("/reserved-memory")
    assert memory == {"#address-cells": [2], "#size-cells": [2], "ranges": ""}
    assert tree.pop("/") == {}
    ranges = {path: node for path, node in tree.items() if path.startswith("/reserved-memory/")}
    declared = [node for path, node in tree.items() if path not in ranges]
    by_phandle = {}
    for region, (path, node) in zip(regions, ranges.items(), strict=False):
        assert path == f"/reserved-memory/{region.name}@{region.base:x}"
        high, low, size_high, size_low = node["reg"]  # type: ignore[misc]
        assert ((high << 32) + low, (size_high << 32) + size_low) == (region.base, region.size)
        assert node["no-map"] == ""
        by_phandle[str(node["phandle"])] = region
    assert [region.name for region in by_phandle.values()] == ["log", "boots", "wide", "legacy"]
    for node, name in zip(declared, ["log", "boots", "wide"], strict=True):
        region = by_phandle[str(node["memory-region"])]
        assert (node["compatible"], node["label"], region.name) == ("physbuf,region", name, name)
        assert node["physbuf,cache"] == region.cache
        assert node.get("physbuf,role", "") == region.role
    assert module_parameter(regions, {"legacy"}) == "legacy@0x71000000+1536K,method=dt;frames@dma+64M"
    assert module_parameter(regions) == "frames@dma+64M"


def test_without_a_region_of_method_dt_the_device_tree_is_left_alone() -> None:
    assert uboot_script(parse_regions("log@0x30000000+16M frames@dma+64M")) == ""
