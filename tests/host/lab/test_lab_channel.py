# SPDX-License-Identifier: MIT
"""The channel over a bad line: what is lost is asked for again, what is not answered is an error."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attr
import pytest
from fake_board import Clock
from labgrid.driver import Driver
from labgrid.protocol import ConsoleProtocol
from pexpect import TIMEOUT

import physbuf_lab.channel
import physbuf_lab.console
from labgrid import Target
from physbuf.frame import REPLY, REQUEST, Assembler, Content, encode
from physbuf_lab.channel import ChannelDriver, Hello
from physbuf_lab.errors import BoardError

BOOT = b"[    0.000000] Linux version 6.12.1\r\n"
READY = b"physbuf-board: ready 1\r\n"
GREETING: Content = {"boot_id": "1234", "kernel": "6.12.1", "version": "0.1.0"}
HELLO = Hello("1234", "6.12.1", "0.1.0")

Answer = Callable[[int, Any], list[bytes]]


@attr.s(eq=False)
class FarEnd(Driver, ConsoleProtocol):
    """A console whose other side is a function of each request; silence is pexpect's TIMEOUT."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.clock = Clock()
        self.answer: Answer = lambda number, content: []
        self.on_line: Callable[[bytes], list[bytes]] = lambda line: []
        self.requests: list[Any] = []
        self.typed: list[bytes] = []
        self.output: list[bytes] = []
        self._assembler = Assembler(REQUEST)
        self._pending = b""

    def read(self, size: int = 1, timeout: float = 0.0) -> bytes:
        self.clock.sleep(0.001)
        if not self.output:
            self.clock.sleep(timeout)
            raise TIMEOUT("silence")
        return self.output.pop(0)

    def write(self, data: bytes) -> None:
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            if message := self._assembler.feed(line):
                self.requests.append(message[1])
                self.output += self.answer(*message)
            elif line and not line.startswith(b"@pb1"):
                self.typed.append(line)
                self.output += self.on_line(line)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarEnd:
    far = FarEnd(Target("main"), "console")
    for module in (physbuf_lab.channel, physbuf_lab.console):
        monkeypatch.setattr(module, "time", far.clock)
    return far


@pytest.fixture
def channel(far: FarEnd) -> ChannelDriver:
    channel = ChannelDriver(far.target, "channel")
    far.target.activate(channel)
    return channel


def reply(content: Content) -> Answer:
    return lambda number, request: encode(REPLY, number, content)


def test_a_command_brings_its_result(far: FarEnd, channel: ChannelDriver) -> None:
    far.answer = reply({"status": 0, "result": {"sha256": "00"}})
    assert channel.command("digest", "log") == {"sha256": "00"}
    assert far.requests == [{"argv": ["digest", "log"]}]
    far.answer = reply(b"\0\1")
    assert channel.command("dump", "log") == b"\0\1"


def test_a_program_brings_its_status_and_words(far: FarEnd, channel: ChannelDriver) -> None:
    far.answer = reply({"status": 1, "stdout": "a", "stderr": "b"})
    assert channel.program("ls", "/") == {"status": 1, "stdout": "a", "stderr": "b"}
    assert far.requests == [{"exec": ["ls", "/"]}]


def test_an_error_names_the_command(far: FarEnd, channel: ChannelDriver) -> None:
    far.answer = reply({"status": 2, "error": "no such region"})
    with pytest.raises(BoardError, match=r"^physbuf digest log: no such region$"):
        channel.command("digest", "log")
    with pytest.raises(BoardError, match=r"^ls /: no such region$"):
        channel.program("ls", "/")


def test_each_request_has_a_number_of_its_own(far: FarEnd, channel: ChannelDriver) -> None:
    numbers = []

    def answer(number: int, content: Any) -> list[bytes]:
        numbers.append(number)
        return encode(REPLY, number, {"status": 0, "result": content})

    far.answer = answer
    channel._number = 0xFFFFFFFE
    for word in "abc":
        assert channel.command(word) == {"argv": [word]}
    assert numbers == [0xFFFFFFFF, 1, 2]  # 0 is the unasked hello's


def test_the_reply_to_another_request_is_not_ours(far: FarEnd, channel: ChannelDriver) -> None:
    far.answer = lambda number, _: [
        *encode(REPLY, 0, GREETING),
        *encode(REPLY, number - 1, {"status": 0, "result": "old"}),
        *encode(REPLY, number, {"status": 0, "result": "new"}),
    ]
    assert channel.command("info") == "new"


def test_noise_around_and_between_the_lines(far: FarEnd, channel: ChannelDriver) -> None:
    content = bytes(range(256)) * 40
    kernel = b"[   77.0] random: crng init done\r\n"
    far.answer = lambda number, _: [
        part
        for line in encode(REPLY, number, content)
        for part in (b"\x00\xff", kernel[:9], kernel[9:] + line[:50], line[50:])
    ]
    assert channel.command("dump", "log") == content
    assert far.requests == [{"argv": ["dump", "log"]}]


def test_lost_lines_are_asked_for_until_all_are_there(far: FarEnd, channel: ChannelDriver) -> None:
    content = random.Random(1).randbytes(5000)
    lost_each_time = iter([{0, 3, 11}, {3}, set()])

    def answer(number: int, request: Any) -> list[bytes]:
        lines = encode(REPLY, number, content)
        parts = request["resend"] if "resend" in request else range(len(lines))
        lost = next(lost_each_time)
        return [lines[part][:-20] + b"\n" if part in lost else lines[part] for part in parts]

    far.answer = answer
    assert channel.command("dump", "log") == content
    assert far.requests == [{"argv": ["dump", "log"]}, {"resend": [0, 3, 11]}, {"resend": [3]}]


def test_a_request_that_was_not_heard_is_repeated_with_its_number(far: FarEnd, channel: ChannelDriver) -> None:
    numbers: list[int] = []

    def answer(number: int, _: Any) -> list[bytes]:
        numbers.append(number)
        return encode(REPLY, number, {"status": 0, "result": 1}) if len(numbers) == 3 else []

    far.answer = answer
    assert channel.command("info", timeout=60.0) == 1
    assert len(set(numbers)) == 1
    assert far.requests == [{"argv": ["info"]}] * 3


def test_no_answer_is_an_error_that_names_the_request(far: FarEnd, channel: ChannelDriver) -> None:
    with pytest.raises(BoardError, match=r"^no answer to \{'argv': \['info'\]\} within 9 s$"):
        channel.command("info", timeout=9.0)


def test_half_an_answer_for_ever_is_an_error_too(far: FarEnd, channel: ChannelDriver) -> None:
    far.answer = lambda number, _: encode(REPLY, number, random.Random(1).randbytes(5000))[:2]
    with pytest.raises(BoardError, match="no answer"):
        channel.command("dump", "log", timeout=9.0)
    assert {"resend": list(range(2, 12))} in far.requests


def on_shell(line: bytes) -> list[bytes]:
    return encode(REPLY, 0, GREETING) if line == b"exec physbuf serve" else []


def test_after_a_boot_the_far_end_is_started(far: FarEnd, channel: ChannelDriver) -> None:
    far.output = [b"SeaBIOS\r\n", BOOT[:20], BOOT[20:], READY]
    far.on_line = on_shell
    assert channel.await_boot(0, 60.0) == HELLO
    assert far.typed == [b"exec physbuf serve"]
    assert channel.transcript.boots == 1


def test_a_login_prompt_is_answered(far: FarEnd, channel: ChannelDriver) -> None:
    far.output = [BOOT, b"\r\nDebian GNU/Linux 13 board ttyS0\r\n\r\nboard lo", b"gin: "]
    logged_in: list[bytes] = []

    def on_line(line: bytes) -> list[bytes]:
        if line == b"root":
            logged_in.append(line)
            return [b"root\r\n# "]
        return on_shell(line) if logged_in else []

    far.on_line = on_line
    assert channel.await_boot(0, 60.0) == HELLO
    assert far.typed[0] == b"root"


def test_the_start_is_tried_again(far: FarEnd, channel: ChannelDriver) -> None:
    far.output = [BOOT, READY]
    far.on_line = lambda line: on_shell(line) if len(far.typed) == 3 else [b"sh: not yet\r\n"]
    assert channel.await_boot(0, 60.0) == HELLO


def test_only_a_boot_after_the_mark_counts(far: FarEnd, channel: ChannelDriver) -> None:
    far.output = [BOOT, READY]
    far.on_line = on_shell
    channel.await_boot(0, 60.0)
    with pytest.raises(BoardError, match=r"^no kernel has started within 30 s$"):
        channel.await_boot(channel.transcript.mark(), 30.0)


def test_a_kernel_without_a_shell_is_an_error(far: FarEnd, channel: ChannelDriver) -> None:
    far.output = [BOOT]
    with pytest.raises(BoardError, match=r"^'exec physbuf serve' brings no answer within 30 s$"):
        channel.await_boot(0, 30.0)


def test_a_kernel_that_only_chatters_is_an_error(far: FarEnd, channel: ChannelDriver) -> None:
    far.output = [BOOT, *[b"[ 1.0] hung task\r\n"] * 100_000]
    with pytest.raises(BoardError, match=r"^the system never came up within 30 s$"):
        channel.await_boot(0, 30.0)


def test_a_dead_board_is_an_error_at_once(far: FarEnd, channel: ChannelDriver) -> None:
    def dead(*_: object, **__: object) -> bytes:
        raise BoardError("the emulator ended with status -9")

    far.read = dead  # type: ignore[method-assign]
    with pytest.raises(BoardError, match="ended with status -9"):
        channel.command("info")
    with pytest.raises(BoardError, match="ended with status -9"):
        channel.await_boot(0, 60.0)


def test_the_console_is_recorded(far: FarEnd, channel: ChannelDriver, tmp_path: Path) -> None:
    channel.record(tmp_path / "console.log")
    far.answer = reply({"status": 0, "result": 1})
    channel.command("info")
    assert b"@pb1<" in (tmp_path / "console.log").read_bytes()
