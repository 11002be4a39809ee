# SPDX-License-Identifier: MIT
"""The raw content of a region, to a file that is whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress

from .errors import PhysbufError
from .region import Region

__all__ = ["part", "save"]

STEP = 1 << 20


def part(region: Region, offset: int, size: int | None) -> memoryview:
    """The bytes offset .. offset+size of a region (to its end if size is None), without a copy."""
    if offset < 0 or offset > region.size:
        raise PhysbufError(
            f"--offset {offset:#x}: outside of region {region.target!r}, which has {region.size:#x} bytes"
        )
    rest = region.size - offset
    if size is None:
        size = rest
    if size < 0 or size > rest:
        raise PhysbufError(
            f"--size {size:#x}: from {offset:#x} on, region {region.target!r} has {rest:#x} bytes; ask for no more"
        )
    return region.buffer[offset : offset + size]


def save(content: memoryview, path: str) -> None:
    """Write a file: to a temporary beside it, synced, then renamed. On any failure nothing is left behind."""
    temporary = f"{path}.{os.getpid()}.tmp"
    if os.path.exists(path) and not os.path.isfile(path):
        raise PhysbufError(f"{path}: not a regular file; name one, or leave -o out and write to stdout")
    try:
        with open(temporary, "xb", buffering=0) as file:
            written = 0
            while written < len(content):
                written += file.write(content[written : written + STEP])
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise PhysbufError(
                f"{path}: cannot write {len(content)} bytes: {reason}; nothing was left there, choose another place"
            ) from None
        raise
