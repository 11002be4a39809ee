# SPDX-License-Identifier: MIT
"""The module in a booted board: load it with regions of a test's own, run the in-guest programs, look at sysfs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["Guest", "Range"]

FOLDER = "/tmp/physbuf-tests"
ARCHIVE = f"{FOLDER}.tar.xz"
PUT_TIME = 600.0  # seconds; a console of 115200 bit/s takes most of a minute
MODULE = "/lib/modules/$(uname -r)/updates/physbuf.ko"
EDU = "1234:11e8"
FIND_PCI = 'cd /sys/bus/pci/devices && for d in *; do echo "$d $(cat $d/vendor):$(cat $d/device)"; done'
# Regions of the device tree come with the module, unless their devices are kept for a driver that does not exist.
KEEP_NODES = """
for device in /sys/bus/platform/devices/*; do
    grep -q physbuf,region "$device/of_node/compatible" 2>/dev/null || continue
    echo '{driver}' >"$device/driver_override"
done
"""


class Range:
    """A range of RAM that the image's boot has put aside, to be cut into regions."""

    def __init__(self, base: int, size: int) -> None:
        self.base = base
        self.size = size

    def region(self, name: str, offset: int, size: int, *options: str) -> str:
        """A declaration of the part at ``offset``, as the module's parameter takes it."""
        assert offset + size <= self.size, f"{name} is not in the {self.size} bytes put aside"
        return ",".join([f"{name}@{self.base + offset:#x}+{size}", *options])


class Guest:
    """``archive`` holds the programs, one file for each of ``machines``."""

    def __init__(self, board: Any, machines: Sequence[str], archive: bytes) -> None:
        self.board = board
        self.channel = board.channel
        self.machines = machines
        self._archive = archive
        self._loaded: tuple[str, ...] = ()

    @property
    def ranges(self) -> list[Range]:
        """What the image put aside for content, largest first."""
        regions = [region for region in self.board.manifest.regions if region.kind == "reserved" and not region.role]
        return sorted((Range(region.base, region.size) for region in regions), key=lambda r: -r.size)

    @property
    def edu(self) -> str:
        """The PCI address of QEMU's edu device."""
        vendor, device = EDU.split(":")
        found = [line.split()[0] for line in self.sh(FIND_PCI).splitlines() if f"0x{vendor}:0x{device}" in line]
        assert len(found) == 1, f"the board has no edu device, or several: {found}"
        return found[0]

    def run(self, script: str, user: str = "root", timeout: float = 60.0) -> dict[str, Any]:
        """Run a shell's line; ``{"status", "stdout", "stderr"}``."""
        shell = ["sh"] if user == "root" else ["su", user, "-s", "/bin/sh"]
        done: dict[str, Any] = self.channel.program(*shell, "-c", script, timeout=timeout)
        return done

    def sh(self, script: str, user: str = "root", timeout: float = 60.0) -> str:
        """Run a shell's line that must succeed; its standard output."""
        done = self.run(script, user, timeout)
        assert done["status"] == 0, f"{script}: {done}"
        return str(done["stdout"])

    def program(self, name: str, machine: str) -> str:
        """The beginning of a program's command line; it is put there if this boot has none yet."""
        if self.run(f"test -d {FOLDER}")["status"]:
            self.channel.put(self._archive, ARCHIVE, timeout=PUT_TIME)
            self.sh(f"mkdir {FOLDER} && tar -xJf {ARCHIVE} -C {FOLDER} && rm {ARCHIVE}")
        return f"{FOLDER}/{machine} {name}"

    def tap(self, name: str, *arguments: str, user: str = "root", timeout: float = 180.0) -> None:
        """Run a program for each machine that the guest can be; every test of it must pass, none may be left out."""
        for machine in self.machines:
            command = f"{self.program(name, machine)} {shlex.join(arguments)}"
            done = self.run(command, user, timeout)
            lines = done["stdout"].splitlines()
            failed = [line for line in lines if line.startswith(("not ok", "Bail out!"))]
            tests = [line for line in lines if line.startswith("ok")]
            where = f"{machine}, {user}: {command}"
            assert done["status"] == 0 and not failed, f"{where}: {failed or lines[-3:]}\n{done['stderr']}"
            assert lines[-1] == f"1..{len(tests)}", f"{where}: the plan is {lines[-1]}, {len(tests)} tests ran"

    def load(self, *regions: str, **parameters: object) -> tuple[int, str]:
        """Load the module anew with just these regions; insmod's status and what the kernel said of it."""
        self.unload()
        self.sh(KEEP_NODES.format(driver="nobody"))
        self.run("dmesg -c >/dev/null")
        words = [f"{key}={value}" for key, value in {"regions": ";".join(regions), **parameters}.items() if value != ""]
        status = self.run(f"insmod {MODULE} {shlex.join(words)}")["status"]
        if status == 0:
            self.sh("mdev -s")
        return status, self.run("dmesg | grep physbuf")["stdout"]

    def need(self, *regions: str, **parameters: object) -> None:
        """Have the module loaded with just these regions, all of them good."""
        wanted = (*regions, *(f"{key}={value}" for key, value in parameters.items()))
        if self._loaded == wanted:
            return
        status, said = self.load(*regions, **parameters)
        names = sorted(region.split("@")[0] for region in regions)
        found = sorted(self.sh("ls /sys/class/physbuf").split()) if status == 0 else []
        assert found == names, f"regions are {found}, wanted {names}: {said}"
        self._loaded = wanted

    def need_own(self) -> None:
        """Have the module loaded as the image does it."""
        if self._loaded != ("own",):
            self.unload()
            self.sh(KEEP_NODES.format(driver=""))
            self.sh("modprobe physbuf && mdev -s")
            self._loaded = ("own",)

    def unload(self) -> None:
        """Have no module, nor the sample driver; it must not be in use."""
        self._loaded = ()
        self.sh("for m in physbuf_edu physbuf; do ! grep -q ^$m' ' /proc/modules || rmmod $m || exit; done")

    def booted(self) -> None:
        """The board has booted again: the module is as the image loads it."""
        self._loaded = ()

    def load_sample(self) -> None:
        """Load the sample driver for the edu device, which the build leaves beside the image."""
        if self.run("grep -q '^physbuf_edu ' /proc/modules")["status"]:
            path: Path = self.board.manifest.image.with_name("physbuf_edu.ko")
            self.channel.put(path.read_bytes(), "/tmp/physbuf_edu.ko")
            self.sh("insmod /tmp/physbuf_edu.ko")

    def unload_sample(self) -> None:
        """Free the edu device."""
        self.sh("! grep -q '^physbuf_edu ' /proc/modules || rmmod physbuf_edu")

    def attribute(self, region: str, which: str) -> str:
        """A line of sysfs."""
        return self.sh(f"cat /sys/class/physbuf/{region}/{which}").strip()
