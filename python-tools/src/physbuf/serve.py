# SPDX-License-Identifier: MIT
"""``physbuf serve``: answer framed requests on a console, for a lab that has nothing but the console.

A request is a JSON object with one of:

``{"argv": [...]}``    run a physbuf command; the reply is ``{"status", "result"}`` or the bytes of a dump
``{"exec": [...]}``    run a program; the reply is ``{"status", "stdout", "stderr"}``
``{"put": "/path"}``    write a file with ``content`` (base64) and ``mode``; the reply is ``{"status"}``
``{"hello": 1}``       who is there: ``{"boot_id", "kernel", "version"}``; also sent unasked at the start
``{"resend": [...]}``  these parts of the last reply once more
``{"quit": 1}``        leave; the console is a shell's again

A request that comes twice (its reply was lost) is not run twice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from . import __version__
from .errors import PhysbufError
from .frame import REPLY, REQUEST, Assembler, Content, encode

__all__ = ["main"]

UNASKED = 0  # the id of a hello that nobody asked for


def main(_args: object = None) -> tuple[int, dict[str, object]]:
    """Serve standard input and output until told to quit or the line hangs up."""
    with _raw(sys.stdin.fileno()):
        _Server(sys.stdin.fileno(), sys.stdout.fileno()).run()
    return 0, {}


class _Server:
    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._requests = Assembler(REQUEST)
        self._last: tuple[int, list[bytes]] = (UNASKED, [])

    def run(self) -> None:
        self._send(encode(REPLY, UNASKED, _hello()))
        for line in self._lines():
            message = self._requests.feed(line)
            if message is None:
                if b"serve" in line:  # somebody types at us as at a shell: say that we are here
                    self._send(encode(REPLY, UNASKED, _hello()))
                continue
            number, request = message
            if not isinstance(request, dict):
                continue
            if "resend" in request:
                self._resend(number, request["resend"])
            elif number == self._last[0]:
                self._send(self._last[1])
            else:
                self._last = (number, encode(REPLY, number, _answer(request)))
                self._send(self._last[1])
            if "quit" in request:
                return

    def _lines(self) -> Iterator[bytes]:
        pending = b""
        while chunk := os.read(self._source, 4096):
            *lines, pending = (pending + chunk.replace(b"\r", b"\n")).split(b"\n")
            yield from lines

    def _resend(self, number: int, parts: object) -> None:
        last, lines = self._last
        if number == last and isinstance(parts, list):
            self._send([lines[part] for part in parts if isinstance(part, int) and 0 <= part < len(lines)])

    def _send(self, lines: list[bytes]) -> None:
        # A newline first, so that a frame begins its own line whatever was written before it.
        data = memoryview(b"".join(b"\r\n" + line.rstrip(b"\n") + b"\r\n" for line in lines))
        while data:
            data = data[os.write(self._sink, data) :]


def _answer(request: dict[str, object]) -> Content:
    try:
        if "argv" in request:
            return _run_command(request["argv"])
        if "exec" in request:
            return _run_program(request["exec"])
        if "put" in request:
            return _put(str(request["put"]), str(request["content"]), request.get("mode", 0o644))
        if "hello" in request or "quit" in request:
            return _hello()
    except PhysbufError as error:
        return {"status": error.exit_code, "error": str(error)}
    except Exception as error:  # the far end shall see what went wrong, not a silent line
        return {"status": 2, "error": f"{type(error).__name__}: {error}"}
    return {"status": 2, "error": f"unknown request: {sorted(request)}"}


def _run_command(argv: object) -> Content:
    from .cli import execute

    if not isinstance(argv, list) or "serve" in argv[:1]:
        raise PhysbufError(f"argv must be a list of words, and not serve itself: {argv!r}")
    status, result = execute([str(word) for word in argv])
    return result if isinstance(result, bytes) else {"status": status, "result": result}


def _run_program(words: object) -> Content:
    if not isinstance(words, list):
        raise PhysbufError(f"exec must be a list of words: {words!r}")
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return {
        "status": done.returncode,
        "stdout": done.stdout.decode(errors="replace"),
        "stderr": done.stderr.decode(errors="replace"),
    }


def _put(path: str, content: str, mode: object) -> Content:
    from base64 import b64decode

    with open(f"{path}.part", "wb") as file:
        file.write(b64decode(content, validate=True))
    os.chmod(f"{path}.part", mode if isinstance(mode, int) else 0o644)
    os.replace(f"{path}.part", path)
    return {"status": 0}


def _hello() -> dict[str, object]:
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot_id = file.read().strip()
    return {"boot_id": boot_id, "kernel": os.uname().release, "version": __version__}


@contextmanager
def _raw(terminal: int) -> Iterator[None]:
    """No echo, no line editing, no signals: frames are not typed by hand."""
    if not os.isatty(terminal):
        yield
        return
    before = termios.tcgetattr(terminal)
    mode = termios.tcgetattr(terminal)
    mode[0] &= ~(termios.ICRNL | termios.IXON | termios.ISTRIP | termios.INLCR)
    mode[1] &= ~termios.OPOST
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
    termios.tcsetattr(terminal, termios.TCSADRAIN, mode)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
