# SPDX-License-Identifier: MIT
"""The far end of the console: it answers over a pipe and over a terminal, once, and never with silence."""

from __future__ import annotations

import base64
import os
import random
import select
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from physbuf import __version__
from physbuf.frame import REPLY, REQUEST, Assembler, Content, encode
from physbuf.serve import _Server

HANG = 30.0  # seconds after which a test is given up; no test expects anything to take long


class Near:
    """The lab's end of the line, with every line that came."""

    def __init__(self, to_board: int, from_board: int) -> None:
        self._to, self._from = to_board, from_board
        self._pending = b""
        self.lines: list[bytes] = []
        self.replies = Assembler(REPLY)

    def type(self, data: bytes) -> None:
        os.write(self._to, data)

    def request(self, number: int, content: Content) -> None:
        self.type(b"".join(encode(REQUEST, number, content)))

    def line(self) -> bytes | None:
        """The next line, None at the end."""
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._from], [], [], HANG)
            assert ready, f"no word; so far: {self.lines[-5:]}"
            try:
                chunk = os.read(self._from, 65536)
            except OSError:  # how a terminal says that nobody is there any more
                chunk = b""
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        self.lines.append(line)
        return line

    def frame(self) -> bytes:
        """The next line that holds anything."""
        while (line := self.line()) is not None:
            if line.strip():
                return line
        raise AssertionError("the line is closed")

    def message(self) -> tuple[int, Any]:
        while True:
            if message := self.replies.feed(self.frame()):
                return message

    def ask(self, number: int, content: Content) -> Any:
        self.request(number, content)
        found, answer = self.message()
        assert found == number
        return answer


@pytest.fixture
def near() -> Iterator[Near]:
    """A server in a thread, with pipes for a line; the hello has been read."""
    source, to_board = os.pipe()
    from_board, sink = os.pipe()
    server = threading.Thread(target=_serve, args=(source, sink), daemon=True)
    server.start()
    end = Near(to_board, from_board)
    assert end.message()[0] == 0
    yield end
    os.close(to_board)
    while end.line() is not None:
        pass
    server.join(HANG)
    assert not server.is_alive(), "the server does not leave when the line hangs up"
    os.close(from_board)


def _serve(source: int, sink: int) -> None:
    try:
        _Server(source, sink).run()
    finally:
        os.close(source)
        os.close(sink)


@pytest.fixture
def region(tmp_path: Path) -> Path:
    path = tmp_path / "region"
    path.write_bytes(random.Random(1).randbytes(8192))
    return path


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


HELLO = {"boot_id": boot_id(), "kernel": os.uname().release, "version": __version__}


def test_hello_comes_unasked_and_on_request() -> None:
    source, to_board = os.pipe()
    from_board, sink = os.pipe()
    os.close(to_board)
    _serve(source, sink)
    end = Near(-1, from_board)
    assert end.message() == (0, HELLO)
    assert end.line() is None
    os.close(from_board)


def test_a_request_is_answered(near: Near, region: Path) -> None:
    assert near.ask(5, {"hello": 1}) == HELLO
    filled = near.ask(6, {"argv": ["fill", str(region), "--seed", "7"]})
    assert filled == {"status": 0, "result": {"region": "region", "size": 8192, "seed": 7}}


def test_a_dump_is_answered_in_bytes(near: Near, region: Path) -> None:
    assert near.ask(5, {"argv": ["dump", str(region)]}) == region.read_bytes()


def test_a_frame_begins_its_own_line(near: Near) -> None:
    near.ask(5, {"hello": 1})
    frame = near.lines.index(next(line for line in near.lines if line.startswith(b"@pb1<00000005 ")))
    assert near.lines[frame - 1] == b"\r"
    assert near.lines[frame].endswith(b"\r")


def test_a_program_is_run(near: Near) -> None:
    answer = near.ask(5, {"exec": ["sh", "-c", "cat; echo out; printf '\\377' >&2; exit 3"]})
    assert answer == {"status": 3, "stdout": "out\n", "stderr": "\ufffd"}


def test_a_file_is_put_whole_with_its_mode(near: Near, tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_text("old")
    content = bytes(range(256)) * 8
    text = base64.b64encode(content).decode()
    assert near.ask(5, {"put": str(path), "content": text, "mode": 0o755}) == {"status": 0}
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o755
    answer = near.ask(6, {"put": str(path), "content": "no base64!"})
    assert answer["status"] == 2
    assert "error" in answer
    assert path.read_bytes() == content


def test_a_request_that_comes_twice_is_run_once(near: Near, tmp_path: Path) -> None:
    count = tmp_path / "count"
    request: Content = {"exec": ["sh", "-c", f"echo x >>'{count}'; echo done"]}
    answers = [near.ask(5, request), near.ask(5, request)]
    assert answers[0] == answers[1] == {"status": 0, "stdout": "done\n", "stderr": ""}
    assert count.read_text() == "x\n"
    near.ask(6, request)
    assert count.read_text() == "x\nx\n"


def test_lost_lines_are_sent_again(near: Near, region: Path) -> None:
    near.request(5, {"argv": ["dump", str(region)]})
    first = near.frame()
    parts = int(first.split(b" ")[1].split(b"/")[1])
    lines = [first, *(near.frame() for _ in range(parts - 1))]
    lost = {2, 3, parts - 1}
    assembler = Assembler(REPLY)
    assert not any(assembler.feed(line) for part, line in enumerate(lines) if part not in lost)
    near.request(5, {"resend": [*assembler.missing(5), 4711, -1, "x"]})  # type: ignore[misc]
    again = [near.frame() for _ in lost]
    assert again == [lines[part] for part in sorted(lost)]
    assert [message for line in again if (message := assembler.feed(line))] == [(5, region.read_bytes())]


@pytest.mark.parametrize("request_", [{"resend": [0]}, {"resend": 0}])
def test_nothing_of_another_reply_is_sent_again(near: Near, request_: Content) -> None:
    near.ask(5, {"hello": 1})
    near.request(4, request_)
    assert near.ask(6, {"hello": 1}) == HELLO  # what comes next is the answer to what was asked next


@pytest.mark.parametrize(
    "junk",
    [
        b"root\n",
        b"\x00\xff\xfe\n\r\n",
        b"@pb1>00000005 0/1 00000000 AAAA\n",
        b"@pb1<\n",
        b"".join(encode(REPLY, 9, {"hello": 1})),
        b"".join(encode(REQUEST, 9, b"bytes are no request")),
        b"x" * 100_000 + b"\n",
        b"".join(encode(REQUEST, 9, {"exec": ["echo", "y" * 2000]}))[:-9] + b"\n",
    ],
)
def test_junk_is_ignored(near: Near, junk: bytes) -> None:
    near.type(junk)
    assert near.ask(5, {"hello": 1}) == HELLO


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_who_types_the_start_command_again_is_greeted(near: Near, end: bytes) -> None:
    near.type(b"exec physbuf serve" + end)
    assert near.message() == (0, HELLO)


def test_a_request_behind_a_kernel_message_is_heard(near: Near) -> None:
    near.type(b"[  1.0] something" + b"".join(encode(REQUEST, 5, {"hello": 1})).replace(b"\n", b"\r"))
    assert near.message() == (5, HELLO)


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        ({"exec": ["/no/such/program"]}, 2, "FileNotFoundError"),
        ({"exec": "ls"}, 2, "exec must be a list of words: 'ls'"),
        ({"exec": []}, 2, "Error"),
        ({"argv": "info"}, 2, "argv must be a list of words"),
        ({"argv": ["serve"]}, 2, "not serve itself"),
        ({"do": 1, "a": 2}, 2, "unknown request: ['a', 'do']"),
        ({}, 2, "unknown request: []"),
    ],
)
def test_what_cannot_be_done_comes_back_as_an_error(near: Near, request_: Content, status: int, error: str) -> None:
    answer = near.ask(5, request_)
    assert set(answer) == {"status", "error"}
    assert answer["status"] == status
    assert error in answer["error"]
    assert near.ask(6, {"hello": 1}) == HELLO


@pytest.mark.parametrize("argv", [["digest", "/no/such/region"], ["nonsense"], []])
def test_a_command_that_fails_says_so(near: Near, argv: list[str]) -> None:
    answer = near.ask(5, {"argv": argv})
    assert answer["status"] == 2
    assert answer["result"]["error"]


def test_quit_is_answered_and_ends() -> None:
    source, to_board = os.pipe()
    from_board, sink = os.pipe()
    end = Near(to_board, from_board)
    end.request(5, {"quit": 1})
    end.request(6, {"hello": 1})
    os.close(to_board)
    _serve(source, sink)
    assert [end.message(), end.message()] == [(0, HELLO), (5, HELLO)]
    assert end.line() is None


def test_over_a_terminal(terminal: tuple[int, int]) -> None:
    """The terminal is raw while frames travel, Ctrl-C and all, and as before at the end."""
    lab, board = terminal
    before = termios.tcgetattr(board)
    command = [sys.executable, "-m", "physbuf", "serve"]
    with subprocess.Popen(command, stdin=board, stdout=board, stderr=subprocess.PIPE, start_new_session=True) as far:
        try:
            end = Near(lab, lab)
            assert end.message() == (0, HELLO)
            end.type(b"\x03\x04\x11\x13\x1a\n")
            assert end.ask(5, {"exec": ["echo", "z" * 3000]}) == {
                "status": 0,
                "stdout": "z" * 3000 + "\n",
                "stderr": "",
            }
            assert not any(b"@pb1>" in line for line in end.lines), "the terminal echoes"
            end.request(6, {"quit": 1})
            assert end.message() == (6, HELLO)
            _, errors = far.communicate(timeout=HANG)
            assert (far.returncode, errors) == (0, b"")
        finally:
            far.kill()
    assert termios.tcgetattr(board) == before
