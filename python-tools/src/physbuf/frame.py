# SPDX-License-Identifier: MIT
"""Messages over a console that others write to as well.

Kernel messages land in the middle of any line, so a message travels as numbered lines, each with a checksum of its own;
what is not a whole, right line is not ours. A damaged line costs that line only: the other end asks for it again.

A line is ``@pb1<direction><id> <part>/<parts> <crc32> <base64>``. The direction is ``>`` for a request (to the board)
and ``<`` for its reply, the id has 8 hexadecimal digits, and the CRC-32 (zlib) covers ``<id> <part>/<parts> <base64>``.
The parts together are SHA-256(body)[:8] and the body: one letter, J for JSON or B for bytes, and the zlib-compressed
content.
"""

from __future__ import annotations

import binascii
import json
import re
import zlib
from hashlib import sha256

__all__ = ["REPLY", "REQUEST", "Assembler", "encode"]

REQUEST = ">"
REPLY = "<"
PART = 450  # bytes a line: 600 characters of base64, short enough for any tty's line buffer

_LINE = re.compile(rb"@pb1([<>])([0-9a-f]{8}) ([0-9]{1,6})/([0-9]{1,6}) ([0-9a-f]{8}) ([A-Za-z0-9+/]*={0,2})\r*$")

Content = bytes | dict[str, object]


def encode(direction: str, number: int, content: Content) -> list[bytes]:
    """The lines of a message, each ending in a newline."""
    if isinstance(content, bytes):
        body = b"B" + zlib.compress(content, 1)
    else:
        body = b"J" + zlib.compress(json.dumps(content).encode(), 1)
    body = sha256(body).digest()[:8] + body
    pieces = [body[start : start + PART] for start in range(0, len(body), PART)]
    return [_line(direction, number, part, len(pieces), piece) for part, piece in enumerate(pieces)]


class Assembler:
    """Collects the lines of one direction; a message is handed out once it is whole."""

    def __init__(self, direction: str) -> None:
        self._direction = direction.encode()
        self._number: int | None = None
        self._parts: list[bytes | None] = []

    def feed(self, line: bytes) -> tuple[int, Content] | None:
        """Take a line without its newline; returns (id, content) when it completes a message."""
        match = _LINE.search(line)
        if not match or match[1] != self._direction or match[5] != _crc(*match.group(1, 2, 3, 4, 6)):
            return None
        number, part, parts = int(match[2], 16), int(match[3]), int(match[4])
        if number != self._number or parts != len(self._parts):
            self._number, self._parts = number, [None] * parts
        if part >= parts:
            return None
        self._parts[part] = binascii.a2b_base64(match[6])
        if self.missing(number):
            return None
        body = b"".join(piece for piece in self._parts if piece is not None)
        self._number = None
        content = _decode(body)
        return None if content is None else (number, content)

    def missing(self, number: int) -> list[int] | None:
        """Which parts of a message are still to come; None when nothing of it has been seen."""
        if number != self._number:
            return None
        return [part for part, piece in enumerate(self._parts) if piece is None]


def _line(direction: str, number: int, part: int, parts: int, piece: bytes) -> bytes:
    text = binascii.b2a_base64(piece, newline=False)
    head = (direction.encode(), f"{number:08x}".encode(), str(part).encode(), str(parts).encode())
    return b"@pb1%s%s %s/%s %s %s\n" % (*head, _crc(*head, text), text)


def _crc(direction: bytes, number: bytes, part: bytes, parts: bytes, text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(b"@pb1%s%s %s/%s %s" % (direction, number, part, parts, text))


def _decode(body: bytes) -> Content | None:
    digest, body = body[:8], body[8:]
    if sha256(body).digest()[:8] != digest:
        return None
    content = zlib.decompress(body[1:])
    if body[:1] == b"B":
        return content
    value: dict[str, object] = json.loads(content)
    return value
