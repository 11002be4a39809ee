# SPDX-License-Identifier: MIT
"""CRC32C: known vectors, and a bit-by-bit reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from physbuf import Region
from physbuf._native import lib


def reference(data: bytes, crc: int = 0) -> int:
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # this and the next from RFC 3720
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_vectors(data: bytes, crc: int) -> None:
    assert lib.physbuf_crc(0, data, len(data)) == crc == reference(data)


def test_every_entry_of_every_table() -> None:
    for place in range(8):
        for byte in range(256):
            data = bytes(place) + bytes([byte]) + bytes(7 - place)
            assert lib.physbuf_crc(0, data, 8) == reference(data)


@given(st.binary(max_size=100), st.integers(0, 100))
def test_any_data_in_any_two_parts(data: bytes, cut: int) -> None:
    head, tail = data[:cut], data[cut:]
    assert lib.physbuf_crc(lib.physbuf_crc(0, head, len(head)), tail, len(tail)) == reference(data)


def test_page_crcs_with_a_short_last_page(tmp_path: Path) -> None:
    content = bytes(range(256)) * 33
    path = tmp_path / "region"
    path.write_bytes(content)
    with Region.open(str(path)) as region:
        crcs = region.page_crcs()
    pages = [content[at : at + 4096] for at in range(0, len(content), 4096)]
    assert crcs == b"".join(reference(page).to_bytes(4, "little") for page in pages)
