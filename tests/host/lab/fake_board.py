# SPDX-License-Identifier: MIT
"""A board of a few bytes that lives in the test: it answers frames, boots, resets, and misbehaves as it is told."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attr
from labgrid.driver import Driver
from labgrid.protocol import ConsoleProtocol, PowerProtocol, ResetProtocol
from pexpect import TIMEOUT

from physbuf.checksum import page_crcs
from physbuf.frame import REPLY, REQUEST, Assembler, Content, encode
from physbuf.pattern import pattern
from physbuf.regions import RegionSpec, parse_regions
from physbuf_lab.channel import ChannelDriver
from physbuf_lab.strategy import PhysbufStrategy

REGIONS = parse_regions("log@0x30000000+64K legacy@0x31000000+8K")
KERNEL = "6.12.1-test"
PANIC = "[  9.0] Kernel panic - not syncing: sysrq triggered crash"


class Clock:
    """Stands in for the module time: it goes on only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def declared(regions: list[RegionSpec] = REGIONS) -> dict[str, Any]:
    """The manifest in the image, which cannot know the image's digest."""
    return {
        "schema": "physbuf-manifest-1",
        "physbuf": "0.1.0",
        "inputs": "abcdef",
        "kernel": KERNEL,
        "regions": [region.as_dict() for region in regions],
    }


def make_image(folder: Path, regions: list[RegionSpec] = REGIONS, content: bytes = b"image" * 1000) -> Path:
    """disk.img and manifest.json in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "disk.img").write_bytes(content)
    manifest = {
        **declared(regions),
        "image": {"file": "disk.img", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder / "disk.img"


def healthy(regions: list[RegionSpec] = REGIONS) -> dict[str, Any]:
    """What the doctor says of a board where all is well."""
    return {
        "ok": True,
        "regions": [{"name": region.name, "ok": True, "failed_step": None, "steps": []} for region in regions],
    }


@attr.s(eq=False)
class FakeBoard(Driver, ConsoleProtocol, PowerProtocol, ResetProtocol):
    """Everything that can be set from outside stands in __attrs_post_init__."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.clock = Clock()
        self.doctor: Any = healthy()
        self.manifest = json.dumps(declared())
        self.storage = b""
        self.damage_storage: Callable[[bytes], bytes] = lambda content: content
        self.on_request: Callable[[Any], None] = lambda request: None
        self.on_reset: Callable[[FakeBoard], None] = lambda board: None
        self.off_keeps_ram = False
        self.boots_at_power_on = True
        self.reset_ends_in_boot = True
        self.way_down: dict[str, str] = {"reboot": "[  9.0] reboot: Restarting system", "panic": PANIC, "reset-pin": ""}
        self.reasons: list[str] | None = []
        self.history: list[str] = []  # "off", "on", "reboot", "panic", "reset-pin"
        self.ram = {region.name: bytearray(region.size) for region in REGIONS}
        self.boot_number = 0
        self._output: list[bytes] = []
        self._typed = b""
        self._requests = Assembler(REQUEST)
        self._on = False
        self._triggered = ""

    # power, reset line, storage

    def on(self) -> None:
        self.history.append("on")
        self._on = True
        if self.reasons is not None:
            self.reasons = []
        if not self.off_keeps_ram:
            for content in self.ram.values():
                content[:] = bytes(len(content))
        if self.boots_at_power_on:
            self.boot()

    def off(self) -> None:
        self.history.append("off")
        self._on = False
        self._output.clear()

    def cycle(self) -> None:
        raise AssertionError("labgrid's cycle() does not say what it does to RAM; the lab must not use it")

    def get(self) -> bool:
        return self._on

    def reset(self) -> None:
        self._reset("reset-pin", "host-qmp-system-reset")

    def reset_reasons(self) -> list[str] | None:
        return None if self.reasons is None else list(self.reasons)

    def flip_ram(self, address: int) -> None:
        for region in REGIONS:
            if region.base <= address < region.end:
                self.ram[region.name][address - region.base] ^= 0xFF

    def write_image(self, filename: str) -> str:
        self.storage = self.damage_storage(Path(filename).read_bytes())
        return hashlib.sha256(self.storage).hexdigest()

    # console

    def say(self, text: str) -> None:
        self._output.append(text.encode() + b"\r\n")

    def boot(self) -> None:
        self.boot_number += 1
        self.say(f"[    0.000000] Linux version {KERNEL}")
        self.say(f"physbuf-board: ready {self.boot_number}")

    def read(self, size: int = 1, timeout: float = 0.0) -> bytes:
        self.clock.sleep(0.001)
        if not self._output:
            self.clock.sleep(timeout)
            raise TIMEOUT("silence")
        data = b"".join(self._output)
        self._output.clear()
        return data

    def write(self, data: bytes) -> None:
        if not self._on:
            return
        *lines, self._typed = (self._typed + data).split(b"\n")
        for line in lines:
            if message := self._requests.feed(line):
                self.on_request(message[1])
                self._reply(message[0], self._answer(message[1]))
                if self._triggered:
                    self._reset(self._triggered, "guest-reset")
            elif b"serve" in line:
                self._reply(0, self._hello())

    def _reply(self, number: int, content: Content) -> None:
        if self._on:
            self._output += encode(REPLY, number, content)

    def _hello(self) -> dict[str, object]:
        return {"boot_id": f"boot-{self.boot_number}", "kernel": KERNEL, "version": "0.1.0"}

    # what runs on it

    def _answer(self, request: Any) -> Content:
        if "argv" in request:
            command, *words = request["argv"]
            return self._command(command, words)
        words = request["exec"]
        if words[0] == "cat":
            return {"status": 0, "stdout": self.manifest, "stderr": ""}
        if "sha256sum" in words[-1]:
            return {"status": 0, "stdout": hashlib.sha256(self.storage).hexdigest() + "  -\n", "stderr": ""}
        self._triggered = "panic" if "sysrq" in words[-1] else "reboot"
        return {"status": 0, "stdout": "", "stderr": ""}

    def _command(self, command: str, words: list[str]) -> Content:
        if command == "doctor":
            return {"status": 0, "result": self.doctor}
        if command == "info":
            region = next(region for region in REGIONS if region.name == words[0])
            return {"status": 0, "result": {"regions": [{"name": region.name, "base": region.base}]}}
        content = self.ram[words[0]]
        if command == "fill":
            content[:] = pattern(int(words[2]), 0, len(content))
            return {"status": 0, "result": {}}
        if command == "digest":
            result = {"sha256": hashlib.sha256(content).hexdigest()}
            if "--pages" in words:
                result["pages"] = base64.b64encode(page_crcs(bytes(content))).decode()
            return {"status": 0, "result": result}
        offset, size = int(words[2]), int(words[4])
        return bytes(content[offset : offset + size])

    def _reset(self, kind: str, reason: str) -> None:
        self._triggered = ""
        self.history.append(kind)
        if self.way_down[kind]:
            self.say(self.way_down[kind])
        if self.reasons is not None:
            self.reasons.append(reason)
        self.on_reset(self)
        if self.reset_ends_in_boot:
            self.boot()
        else:
            self._on = False


@dataclass
class Bench:
    """What a test about a whole board needs."""

    board: FakeBoard
    channel: ChannelDriver
    strategy: PhysbufStrategy
