# SPDX-License-Identifier: MIT
"""Talk to the board over nothing but its console: requests and replies in checked frames (see physbuf.frame)."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attr
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol
from pexpect import TIMEOUT

from physbuf.frame import REPLY, REQUEST, Assembler, encode

from .console import Transcript
from .errors import BoardError

__all__ = ["ChannelDriver", "Hello"]

UNASKED = 0
WAKE_EVERY = 2.0  # seconds between attempts to start the far end
SILENCE = 1.5  # seconds without a word, after which lines are taken as lost
LISTEN = 0.1  # seconds a single read waits


@dataclass(frozen=True)
class Hello:
    """Who answers: the boot's random id, the kernel's release, physbuf's version."""

    boot_id: str
    kernel: str
    version: str


@target_factory.reg_driver
@attr.s(eq=False)
class ChannelDriver(Driver):
    """The far end is ``physbuf serve``, started from a shell on the console.

    Args:
        wake (str): what is typed at the board to start the far end
        login (str): the user, should the console ask for one first
    """

    bindings = {"console": ConsoleProtocol}
    wake: str = attr.ib(default="exec physbuf serve", validator=attr.validators.instance_of(str))
    login: str = attr.ib(default="root", validator=attr.validators.instance_of(str))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.transcript = Transcript(None)
        self._replies = Assembler(REPLY)
        self._number = secrets.randbits(31) | 1

    def record(self, path: Path) -> None:
        """Write the console's text to a file from now on."""
        self.transcript = Transcript(path)

    def on_deactivate(self) -> None:
        """Close the console's file."""
        self.transcript.close()

    @Driver.check_active
    def await_boot(self, mark: int, timeout: float) -> Hello:
        """Wait for a kernel to start after ``mark`` and for the far end to answer; BoardError after ``timeout`` s."""
        deadline = time.monotonic() + timeout
        while not self.transcript.since(mark, "boot"):
            self._check(deadline, timeout, "no kernel has started")
            self._listen()
        while not self.transcript.since(mark, "ready") and time.monotonic() < self.transcript.last_heard + WAKE_EVERY:
            self._check(deadline, timeout, "the system never came up")
            self._listen()
        return self._await_hello(deadline, timeout)

    @Driver.check_active
    def command(self, *argv: str, timeout: float = 60.0) -> Any:
        """Run a physbuf command on the board; its JSON object or its bytes. BoardError when it failed."""
        reply = self.request({"argv": list(argv)}, timeout)
        if isinstance(reply, bytes):
            return reply
        if "result" not in reply:
            raise BoardError(f"physbuf {' '.join(argv)}: {reply.get('error', f'no sensible reply: {reply}')}")
        return reply["result"]

    @Driver.check_active
    def program(self, *argv: str, timeout: float = 60.0) -> dict[str, Any]:
        """Run any program on the board: ``{"status", "stdout", "stderr"}``."""
        reply: dict[str, Any] = self.request({"exec": list(argv)}, timeout)
        if "stdout" not in reply:
            raise BoardError(f"{' '.join(argv)}: {reply.get('error', f'no sensible reply: {reply}')}")
        return reply

    @Driver.check_active
    def put(self, content: bytes, path: str, mode: int = 0o644, timeout: float = 120.0) -> None:
        """Write a file on the board, whole or not at all."""
        reply = self.request({"put": path, "content": base64.b64encode(content).decode(), "mode": mode}, timeout)
        if "error" in reply:
            raise BoardError(f"{path}: {reply['error']}")

    @Driver.check_active
    def request(self, content: dict[str, object], timeout: float) -> Any:
        """Send a request until its whole reply is here; lines lost to other writers are asked for again."""
        self._number = (self._number + 1) & 0xFFFFFFFF or 1
        number = self._number
        deadline = time.monotonic() + timeout
        message = encode(REQUEST, number, content)
        while True:
            self.console.write(b"\n" + b"".join(message))
            reply = self._await_reply(number, min(deadline, time.monotonic() + max(SILENCE, timeout / 4)))
            if reply is not None:
                return reply
            self._check(deadline, timeout, f"no answer to {str(content)[:80]}")
            missing = self._replies.missing(number)
            message = encode(REQUEST, number, {"resend": missing[:200]} if missing else content)

    def _await_reply(self, number: int, until: float) -> Any:
        """The reply, or None when the line has been silent and something is missing."""
        self.transcript.last_heard = time.monotonic()
        while time.monotonic() < until:
            for found, content in self._listen():
                if found == number:
                    return content
            began = self._replies.missing(number) is not None
            if began and time.monotonic() > self.transcript.last_heard + SILENCE:
                return None
        return None

    def _await_hello(self, deadline: float, timeout: float) -> Hello:
        while True:
            self.console.write(f"\n{self.wake}\n".encode())
            until = time.monotonic() + WAKE_EVERY
            while time.monotonic() < until:
                for number, content in self._listen():
                    if number == UNASKED and isinstance(content, dict):
                        return Hello(str(content["boot_id"]), str(content["kernel"]), str(content["version"]))
            self._check(deadline, timeout, f"{self.wake!r} brings no answer")

    def _listen(self) -> list[tuple[int, Any]]:
        try:
            data = self.console.read(timeout=LISTEN)
        except TIMEOUT:
            return []
        messages = [self._replies.feed(line) for line in self.transcript.hear(data)]
        if self.transcript.unfinished.rstrip().endswith(b"login:"):
            self.console.write(f"{self.login}\n".encode())
        return [message for message in messages if message]

    def _check(self, deadline: float, timeout: float, what: str) -> None:
        if time.monotonic() > deadline:
            raise BoardError(f"{what} within {timeout:.0f} s")
