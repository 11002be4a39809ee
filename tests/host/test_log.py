# SPDX-License-Identifier: MIT
"""The log through Python, and against a reader of its own written from docs/format.md alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from physbuf import LogReader, LogWriter, PhysbufError, Region, format_log
from physbuf._native import lib

DATA = 8192
SUB = 4096


def crc32c(data: bytes) -> int:
    return int(lib.physbuf_crc(0, data, len(data)))


def number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def strangers_reader(dump: bytes) -> list[tuple[int, int, int, int, bytes]]:
    """(epoch, sequence, kind, severity, payload) of all records of an undamaged log, oldest first."""
    supers = [dump[at : at + 96] for at in (0, 4096)]
    valid = [s for s in supers if s[:8] == b"PHYSBUFL" and number(s, 92, 4) == crc32c(s[:92])]
    newest = max(valid, key=lambda s: number(s, 24, 8))
    assert number(newest, 8, 4) == 1
    region, data, size, count = (number(newest, *field) for field in ((16, 8), (32, 8), (40, 4), (44, 4)))
    headers = []
    for index in range(count):
        header = dump[data + index * size :][:64]
        if header[:4] == b"PBSB" and number(header, 60, 4) == crc32c(header[:60]) and number(header, 16, 8):
            assert number(header, 4, 4) == index and number(header, 8, 8) == region
            assert (number(header, 16, 8) - 1) % count == index
            headers.append((number(header, 16, 8), data + index * size))
    records = []
    for serial, start in sorted(headers):
        at = start + 64
        while at < start + size and (word := number(dump, at, 4)):
            assert word >> 24 == ord("C")
            length = word & 0xFFFFFF
            place = b"".join(value.to_bytes(8, "little") for value in (region, at, serial, word))
            assert number(dump, at + 4, 4) == crc32c(place + dump[at + 8 : at + 32 + length])
            payload = dump[at + 32 : at + 32 + length]
            fields = [number(dump, at + place, size) for place, size in ((24, 4), (8, 8), (28, 2), (30, 1))]
            records.append((fields[0], fields[1], fields[2], fields[3], payload))
            at += 32 + (length + 7) // 8 * 8
    return records


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "region"
    with open(made, "wb") as file:
        file.truncate(DATA + 6 * SUB)
    with Region.open(str(made), writable=True) as region:
        format_log(region)
    return made


def append(path: Path, *payloads: bytes) -> None:
    with Region.open(str(path), writable=True) as region, LogWriter(region) as log:
        for payload in payloads:
            log.append(payload)


def payloads(path: Path) -> list[bytes]:
    with Region.open(str(path)) as region:
        return [record.payload for record in LogReader(region)]


def test_round_trip(path: Path) -> None:
    with Region.open(str(path), writable=True) as region, LogWriter(region) as log:
        assert log.append(b"one") == 1
        assert log.append(b"", kind=65535, severity=0) == 2
        assert log.append(memoryview(bytes(range(256)))) == 3
    with Region.open(str(path)) as region:
        reader = LogReader(region)
        one, two, three = reader
    assert (one.payload, one.sequence, one.epoch, one.kind, one.severity) == (b"one", 1, 1, 0, 6)
    assert (two.payload, two.kind, two.severity) == (b"", 65535, 0)
    assert three.payload == bytes(range(256))
    assert one.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert 0 < one.time_ns <= two.time_ns
    assert reader.report.clean and reader.report.records == 3


def test_a_lost_newest_sub_buffer_is_a_gap_and_its_numbers_are_not_used_again(path: Path) -> None:
    append(path, *[bytes(1000)] * 6)
    with path.open("r+b") as file:
        dump = file.read()
        newest = max(range(6), key=lambda index: number(dump[DATA + index * SUB :], 16, 8))
        file.seek(DATA + newest * SUB + 20)
        file.write(b"\xff")
    append(path, b"afterwards")
    with Region.open(str(path)) as region:
        reader = LogReader(region)
        read = list(reader)
    lost = 6 - (len(read) - 1)
    assert lost > 0
    assert read[-1].payload == b"afterwards"
    assert read[-1].sequence > 6
    assert reader.report.gaps == 1
    assert reader.report.lost >= lost
    assert reader.report.damaged == 1


records = st.lists(
    st.tuples(st.binary(max_size=600), st.integers(0, 0xFFFF), st.integers(0, 7)), min_size=1, max_size=120
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records)
def test_a_strangers_reader_agrees(path: Path, records: list[tuple[bytes, int, int]]) -> None:
    with Region.open(str(path), writable=True) as region:
        format_log(region)
        with LogWriter(region) as log:
            for payload, kind, severity in records:
                log.append(payload, kind, severity)
        reader = LogReader(region)
        ours = [(r.epoch, r.sequence, r.kind, r.severity, r.payload) for r in reader]
    assert ours == strangers_reader(path.read_bytes())
    assert reader.report.clean
    assert len(ours) + reader.report.overwritten == len(records)
    assert [(kind, severity, payload) for _, _, kind, severity, payload in ours] == [
        (kind, severity, payload) for payload, kind, severity in records[-len(ours) :]
    ]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, DATA + 6 * SUB - 1), st.binary(min_size=1, max_size=24)), max_size=12))
def test_damage_never_makes_a_record(path: Path, hits: list[tuple[int, bytes]]) -> None:
    written = {b"record %d " % n + bytes(n % 50) for n in range(200)}
    with Region.open(str(path), writable=True) as region:
        format_log(region)
        with LogWriter(region) as log:
            for payload in written:
                log.append(payload)
        for at, noise in hits:
            end = min(region.size, at + len(noise))
            region.buffer[at:end] = noise[: end - at]
        try:
            found = {record.payload for record in LogReader(region)}
        except PhysbufError:
            return
    assert found <= written


def test_another_boot_is_another_epoch(path: Path) -> None:
    append(path, b"before")
    dump = bytearray(path.read_bytes())
    # As if another boot had written: its id in the newest superblock and in the sub-buffer.
    for start, size in ((0, 96), (4096, 96), (DATA, 64)):
        place = 56 if size == 96 else 40
        dump[start + place : start + place + 16] = b"the boot before."
        dump[start + size - 4 : start + size] = crc32c(bytes(dump[start : start + size - 4])).to_bytes(4, "little")
    path.write_bytes(dump)
    append(path, b"after")
    append(path, b"and more")
    with Region.open(str(path)) as region:
        reader = LogReader(region)
        found = [(record.epoch, record.sequence, record.payload) for record in reader]
    assert found == [(1, 1, b"before"), (2, 2, b"after"), (2, 3, b"and more")]
    assert reader.report.clean and reader.report.epochs == 2


def test_a_raw_dump_is_read_only_by_reading(path: Path, tmp_path: Path) -> None:
    append(path, b"one", b"two")
    dump = tmp_path / "dump"
    dump.write_bytes(path.read_bytes())
    dump.chmod(0o444)
    before = dump.stat().st_mtime_ns
    assert payloads(dump) == [b"one", b"two"]
    assert dump.stat().st_mtime_ns == before


def test_second_writer(path: Path) -> None:
    with Region.open(str(path), writable=True) as one, Region.open(str(path), writable=True) as two, LogWriter(one):
        with pytest.raises(PhysbufError, match="another process writes it"):
            LogWriter(two)
        with pytest.raises(PhysbufError, match="another process writes it"):
            two.fill(1)
        assert payloads(path) == []
    append(path, b"free again")


def test_a_killed_writer_leaves_its_records_and_no_lock(path: Path) -> None:
    code = (
        "import sys, time; from physbuf import *\n"
        "log = LogWriter(Region.open(sys.argv[1], writable=True))\n"
        "print(log.append(b'last words'), flush=True); time.sleep(600)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "1\n"
    with pytest.raises(PhysbufError, match="another process writes it"):
        append(path, b"too early")
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    append(path, b"next")
    assert payloads(path) == [b"last words", b"next"]


def test_refusals(path: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(bytes(65536))
    with Region.open(str(plain), writable=True) as region:
        with pytest.raises(PhysbufError, match=r"holds no log.*physbuf log format"):
            LogReader(region)
        with pytest.raises(PhysbufError, match="holds no log"):
            LogWriter(region)
        format_log(region)
        region.buffer[92] ^= 1
        region.buffer[4096 + 92] ^= 1
        with pytest.raises(PhysbufError, match="superblocks are damaged"):
            LogReader(region)
    plain.write_bytes(bytes(16383))
    with Region.open(str(plain), writable=True) as region, pytest.raises(PhysbufError, match="16383 bytes are too few"):
        format_log(region)
    with Region.open(str(path), writable=True) as region:
        log = LogWriter(region)
        for what in ({"payload": bytes(log.limit + 1)}, {"kind": -1}, {"kind": 65536}, {"severity": 8}):
            with pytest.raises(PhysbufError):
                log.append(**({"payload": b""} | what))
        assert log.append(bytes(log.limit)) == 1
        log.close()
        with pytest.raises(PhysbufError, match="closed"):
            log.append(b"")


def test_a_view_outlives_the_region(path: Path) -> None:
    with Region.open(str(path)) as region:
        view = region.buffer
        assert view.readonly
    assert bytes(view[:8]) == b"PHYSBUFL"
    with pytest.raises(PhysbufError, match="closed"):
        _ = region.buffer
