# SPDX-License-Identifier: MIT
"""Copies a file into a region by write(), and reads it back."""

from __future__ import annotations

import errno
import os
import stat

from ._native import ffi, lib
from .errors import INTERRUPTED, PhysbufError
from .region import Region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["load", "read_back"]

PIECE = 4 << 20


def load(source: BinaryIO, name: str, region: Region, offset: int) -> tuple[int, int]:
    """Write what a file, or a pipe, has to offer; the bytes written and their CRC32C.

    A file that does not fit is refused before anything is written. Of a pipe nobody knows: what fits is written, and
    the PhysbufError says how much that was. ``name`` is what messages call the source.
    """
    region.require_content("load")
    room = region.size - offset
    if room < 0:
        raise PhysbufError(f"{region.target}+{offset:#x}: outside of the region, which has {region.size:#x} bytes")
    size = _size(source)
    if size is not None and size > room:
        raise PhysbufError(
            f"{name}: its {size} bytes do not fit into the {room} of {_where(region, offset)}; nothing was written"
        )
    region.lock()
    done = crc = 0
    try:
        while piece := source.read(PIECE):
            fits = memoryview(piece)[: room - done]
            rest = len(piece) - len(fits)
            while fits:
                count = os.pwrite(region.descriptor, fits, offset + done)
                crc = lib.physbuf_crc(crc, ffi.from_buffer(fits), count)
                done += count
                fits = fits[count:]
            if rest:
                raise OSError(errno.ENOSPC, "it does not fit")
    except (OSError, KeyboardInterrupt) as error:
        written = f"{done} bytes were written to {_where(region, offset)}"
        if isinstance(error, KeyboardInterrupt):  # it may have come between a write and the counting of it
            raise PhysbufError(f"{name}: interrupted; at least {written}", INTERRUPTED) from None
        raise PhysbufError(f"{name}: {error.strerror}; {written}") from None
    return done, int(crc)


def read_back(region: Region, offset: int, size: int) -> int:
    """The CRC32C of what the region holds now, read by read()."""
    crc = done = 0
    while done < size:
        piece = os.pread(region.descriptor, min(PIECE, size - done), offset + done)
        if not piece:
            raise PhysbufError(f"{_where(region, offset)}: ends after {done} of {size} bytes")
        crc = lib.physbuf_crc(crc, ffi.from_buffer(piece), len(piece))
        done += len(piece)
    return int(crc)


def _size(source: BinaryIO) -> int | None:
    """What is still to be read, if that can be known."""
    status = os.fstat(source.fileno())
    return status.st_size - source.tell() if stat.S_ISREG(status.st_mode) else None


def _where(region: Region, offset: int) -> str:
    return f"{region.target}+{offset:#x}"
