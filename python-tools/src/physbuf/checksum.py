# SPDX-License-Identifier: MIT
"""CRC32C of plain bytes, for those who hold content that is not a region."""

from __future__ import annotations

from ._native import ffi, lib

__all__ = ["page_crcs"]

PAGE = 4096


def page_crcs(data: bytes) -> bytes:
    """The CRC32C of each 4096-byte page (the last may be short), as little-endian 32-bit numbers in a row."""
    source = ffi.from_buffer(data)
    crcs = (lib.physbuf_crc(0, source + start, min(PAGE, len(data) - start)) for start in range(0, len(data), PAGE))
    return b"".join(crc.to_bytes(4, "little") for crc in crcs)
