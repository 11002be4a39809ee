# SPDX-License-Identifier: MIT
"""A region that the kernel places, by the boot argument reserve_mem: found by name, and watched for moving."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from guest import Guest

from labgrid import Environment
from physbuf_lab.resets import RESETS, perform

TOP = Path(__file__).parents[2]
BUILD = TOP / "recipes/debian/build.py"
SIZE = 2 << 20
FIRST = (6, 12)  # the first kernel that has reserve_mem


@pytest.fixture
def kernel(board: Any) -> tuple[int, ...]:
    """The version of the board's kernel, (6, 12)."""
    return tuple(int(number) for number in board.manifest.declared["kernel"].split(".")[:2])


@pytest.fixture(scope="module")
def another(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], Any]]:
    """Boot a second board of the same type as the given one, with an image that has such a region."""
    running: list[Any] = []

    def boot(board: Any) -> Any:
        if not running:
            environment = Path(request.config.getoption("lg_env"))
            image = TOP / f"out/image/{environment.stem}-reserve-mem"
            notebook = next(str(region) for region in board.manifest.regions if region.role == "state")
            command = [sys.executable, BUILD, "--board", environment.stem, "--out", image]
            command += ["--regions", f"spare@reserve_mem:spare+2M {notebook}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            target = Environment(str(environment)).get_target()
            strategy = target.get_driver("PhysbufStrategy", activate=False)
            strategy.use_image(image)
            target.activate(strategy.power)
            target.activate(strategy.channel)
            running.append(strategy)
            strategy.transition("ready")
        return running[0]

    yield boot
    for strategy in running:
        strategy.power.off()


@pytest.fixture
def spare(board: Any, kernel: tuple[int, ...], guest: Guest, another: Callable[[Any], Any], programs: Any) -> Guest:
    """The second board's guest, its module loaded as the image does it."""
    if kernel < FIRST:
        pytest.skip("this kernel has no reserve_mem, see the test of its refusal")
    if "kasan" in str(board.manifest.image):
        pytest.skip("the debug kernel's image is not one of the recipe's boards")
    guest = Guest(another(board), guest.machines, programs(board.manifest.declared["architecture"]))
    guest.need_own()
    return guest


def test_an_older_kernel_is_told_so(guest: Guest, kernel: tuple[int, ...]) -> None:
    status, said = guest.load("lost@reserve_mem:nobody")
    assert status != 0
    assert ("wants Linux 6.12" in said) is (kernel < FIRST)


def test_it_is_found_by_its_name(spare: Guest) -> None:
    assert spare.attribute("spare", "kind") == "reserved"
    assert spare.attribute("spare", "size") == str(SIZE)
    assert int(spare.attribute("spare", "base"), 16)
    spare.tap("test_bytes", "spare", user="app")
    spare.tap("test_reserved", "spare", "wb", user="app")


def test_it_says_whether_it_moved(spare: Guest) -> None:
    """The content is no promise here: the boot loader does not know of the range, and may put an initrd there."""
    for boot in (2, 3):
        before = spare.attribute("spare", "base")
        proof = perform(RESETS["reboot"], spare.board)
        assert proof.ok, proof.why
        stayed = spare.attribute("spare", "base") == before
        assert spare.attribute("boots", "boots") == str(boot)
        assert spare.attribute("spare", "moved") == ("no" if stayed else "yes")
        if not stayed:
            assert spare.attribute("spare", "boots") == "1"


def test_an_unknown_name_is_refused(spare: Guest) -> None:
    status, said = spare.load("lost@reserve_mem:nobody")
    assert status != 0
    assert "lost: there is no reserve_mem range called nobody" in said
    assert "reserve_mem=16M:4096:nobody" in said


def test_two_regions_cannot_share_it(spare: Guest) -> None:
    status, said = spare.load("one@reserve_mem:spare", "two@reserve_mem:spare")
    assert status == 0
    assert "two" in said and "overlaps region one" in said
    assert spare.sh("ls /sys/class/physbuf").split() == ["one"]


def test_a_size_must_be_the_ranges_own(spare: Guest) -> None:
    status, said = spare.load("one@reserve_mem:spare+4K")
    assert status != 0
    assert f"one: its place has {SIZE} bytes" in said


def test_the_notebook_wants_a_fixed_address(spare: Guest) -> None:
    status, said = spare.load("one@reserve_mem:spare,role=state")
    assert status != 0
    assert "fixed address" in said


def test_uncached_is_not_to_be_had(spare: Guest) -> None:
    """It stays in the kernel's own cached mapping of all RAM."""
    status, said = spare.load("one@reserve_mem:spare,cache=wc")
    assert status != 0
    assert "cache=wc" in said
