# SPDX-License-Identifier: MIT
"""The module's own notebook: boots, whether a region moved, how the last boot ended and what was cleaned then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from guest import Guest

from physbuf_lab.resets import DELAY, RESETS, ResetType, perform
from physbuf_lab.strategy import PhysbufStrategy

MIB = 1 << 20
PAGE = 4096
CLEANED = 2 * MIB + 65536  # both cached regions; the notebook is not counted, uncached memory has nothing to clean


def _reboot_now(board: PhysbufStrategy) -> None:
    board.channel.program("sh", "-c", f"({DELAY}; reboot -f) >/dev/null 2>&1 &")


REBOOT_NOW = ResetType("reboot -f", True, _reboot_now, ("restart",), "guest-reset")


class Notebook:
    """A guest whose module has a state region and three others; ``shift`` moves one of them."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    def load(self, shift: int = 0, **parameters: object) -> None:
        """Load the module, which goes on with the notes it finds."""
        room = self.guest.ranges[0]
        self.guest.need(
            room.region("boots", 0, PAGE, "role=state"),
            room.region("log", MIB + shift, 2 * MIB),
            room.region("small", 8 * MIB, 65536),
            room.region("fast", 9 * MIB, MIB, "cache=wc"),
            **parameters,
        )

    def reload(self, shift: int = 0) -> None:
        """Unload and load, in the same boot."""
        self.guest.unload()
        self.load(shift)

    def reset(self, reset: ResetType) -> None:
        """Reset the board, and load the module with the same regions in the boot after it."""
        proof = perform(reset, self.guest.board)
        self.guest.booted()
        assert proof.ok, proof.why
        self.load()

    def __getitem__(self, attribute: str) -> str:
        """``region/attribute`` in sysfs."""
        return self.guest.attribute(*attribute.split("/"))


@pytest.fixture
def notebook(guest: Guest) -> Iterator[Notebook]:
    """A new notebook: what an older one held is wiped."""
    room = guest.ranges[0]
    guest.need(room.region("wipe", 0, PAGE))
    guest.sh("head -c 4096 /dev/zero >/dev/physbuf/wipe")
    notebook = Notebook(guest)
    notebook.load()
    yield notebook
    guest.unload()


def test_a_new_notebook(notebook: Notebook) -> None:
    assert notebook["boots/last_exit"] == "unknown"
    assert notebook["boots/last_cleaned"] == "0"
    assert notebook["boots/reset_cause"] == "unknown"
    for region in ("log", "small", "fast"):
        assert notebook[f"{region}/boots"] == "1"
        assert notebook[f"{region}/moved"] == "unknown"


def test_loading_again_is_no_boot(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.reload()
        assert notebook["log/boots"] == "1"
        assert notebook["boots/last_exit"] == "unknown"


def test_each_boot_counts_once(notebook: Notebook) -> None:
    notebook.reset(RESETS["reboot"])
    assert notebook["log/boots"] == "2"
    assert notebook["log/moved"] == "no"
    assert notebook["boots/last_exit"] == "restart"
    assert int(notebook["boots/last_cleaned"]) == CLEANED
    notebook.reload()
    assert notebook["log/boots"] == "2"
    notebook.reset(RESETS["reboot"])
    assert notebook["log/boots"] == "3"


def test_an_immediate_reboot(notebook: Notebook) -> None:
    notebook.reset(REBOOT_NOW)
    assert notebook["log/boots"] == "2"
    assert notebook["boots/last_exit"] == "restart"


def test_a_panic_cleans_and_is_noted(notebook: Notebook) -> None:
    notebook.reset(RESETS["panic"])
    assert notebook["log/boots"] == "2"
    assert notebook["boots/last_exit"] == "panic"
    assert int(notebook["boots/last_cleaned"]) == CLEANED


def test_a_reset_line_comes_unannounced(notebook: Notebook) -> None:
    notebook.reset(RESETS["reset-pin"])
    assert notebook["log/boots"] == "2"
    assert notebook["boots/last_exit"] == "none"
    assert notebook["boots/last_cleaned"] == "0"


def test_a_boot_that_ends_without_the_module(notebook: Notebook) -> None:
    notebook.guest.unload()
    notebook.reset(RESETS["reset-pin"])
    assert notebook["boots/last_exit"] == "unloaded"


def test_a_region_that_moves(notebook: Notebook) -> None:
    notebook.reset(RESETS["reset-pin"])
    notebook.reload(shift=65536)
    assert notebook["log/moved"] == "yes"
    assert notebook["log/boots"] == "1"
    assert notebook["small/moved"] == "no"
    assert notebook["small/boots"] == "2"
    notebook.reload()
    assert notebook["log/moved"] == "no", "it is the last boot's place that counts"
    assert notebook["log/boots"] == "2"


def test_a_damaged_notebook_is_a_new_one(notebook: Notebook) -> None:
    guest = notebook.guest
    notebook.reset(RESETS["reset-pin"])
    assert notebook["log/boots"] == "2"
    guest.need(guest.ranges[0].region("wipe", 0, PAGE))
    for slot in (0, 2048):
        guest.sh(f"printf x | dd of=/dev/physbuf/wipe bs=1 seek={slot + 900} conv=notrunc")
    notebook.load()
    assert notebook["log/boots"] == "1"
    assert notebook["boots/last_exit"] == "unknown"


def test_one_damaged_slot_costs_only_the_newest_note(notebook: Notebook) -> None:
    """The slots are written by turns; the older one still knows this boot."""
    guest = notebook.guest
    notebook.reset(RESETS["reset-pin"])
    guest.need(guest.ranges[0].region("wipe", 0, PAGE))
    read = "import struct; f = open('/dev/physbuf/wipe', 'rb').read(); print(*struct.unpack_from('<Q2040xQ', f, 8))"
    first, second = guest.sh(f'python3 -c "{read}"').split()
    newest = 0 if int(first) > int(second) else 2048
    guest.sh(f"printf x | dd of=/dev/physbuf/wipe bs=1 seek={newest + 900} conv=notrunc")
    notebook.load()
    assert notebook["log/boots"] == "2"


def test_programs_may_read_it_only(notebook: Notebook) -> None:
    guest = notebook.guest
    assert guest.sh("head -c 4 /dev/physbuf/boots", user="app") == "PBST"
    for user in ("app", "root"):
        done = guest.run("printf x >/dev/physbuf/boots", user=user)
        assert done["status"] != 0
        assert "Operation not permitted" in done["stderr"]


def test_the_boot_loader_may_say_the_reset_cause(notebook: Notebook) -> None:
    notebook.load(reset_cause="watchdog")
    assert notebook["boots/reset_cause"] == "watchdog"


def test_without_a_notebook_nobody_counts(guest: Guest) -> None:
    guest.need(guest.ranges[0].region("log", 0, MIB))
    assert guest.attribute("log", "boots") == "unknown"
    assert guest.attribute("log", "moved") == "unknown"
    assert guest.run("cat /sys/class/physbuf/log/last_exit")["status"] != 0


def test_one_notebook_is_enough(guest: Guest) -> None:
    room = guest.ranges[0]
    status, said = guest.load(
        room.region("first", 0, PAGE, "role=state"), room.region("second", PAGE, PAGE, "role=state")
    )
    assert status == 0
    assert "second" in said and "role=state" in said
    assert guest.sh("ls /sys/class/physbuf").split() == ["first"]
