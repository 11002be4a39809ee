# SPDX-License-Identifier: MIT
"""peek, poke, load, clean, ring and wait, on files; what they do on a device is tested on the board."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from physbuf.checksum import page_crcs
from physbuf.cli import execute, main
from physbuf.errors import PhysbufError
from physbuf.pattern import pattern
from physbuf.region import Region

SIZE = 2 << 20
LEGACY = 1536 << 10  # 1.5 MB


@pytest.fixture
def path(tmp_path: Path) -> str:
    made = tmp_path / "region"
    made.write_bytes(b"\xee" * SIZE)
    return str(made)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "firmware"
    made.write_bytes(pattern(1, 0, LEGACY))
    return made


def run(*argv: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "physbuf", *argv], capture_output=True, check=False, **options)


def answer(*argv: str) -> dict[str, Any]:
    code, result = execute(list(argv))
    assert code == 0 and isinstance(result, dict), result
    return result


def error(*argv: str, code: int = 2) -> str:
    status, result = execute(list(argv))
    assert status == code and isinstance(result, dict) and list(result) == ["error"]
    return str(result["error"])


def crc_of(content: bytes) -> int:
    """The CRC32C bit by bit, from its polynomial."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_poke_and_peek(path: str, width: int) -> None:
    value = 0x8182838485868788 >> (64 - 8 * width)
    at = {"region": "region", "offset": 0x20, "address": None, "width": width}
    assert answer("poke", f"{path}+0x20", hex(value), "--width", str(width)) == at | {"value": value}
    content = Path(path).read_bytes()
    assert content == b"\xee" * 0x20 + value.to_bytes(width, sys.byteorder) + b"\xee" * (SIZE - 0x20 - width)
    assert answer("peek", f"{path}+0x20", "--width", str(width)) == at | {"values": [value]}


def test_peek_several(path: str) -> None:
    Path(path).write_bytes(bytes(range(16)) * (SIZE // 16))
    assert answer("peek", f"{path}+4", "--count", "2")["values"] == [
        int.from_bytes(bytes(range(at, at + 4)), sys.byteorder) for at in (4, 8)
    ]
    assert run("peek", f"{path}+8", "--width", "1", "--count", "2").stdout == b"region+0x8: 0x08\nregion+0x9: 0x09\n"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["peek", "PATH+2"], "+0x2: not a multiple of the width 4; take PATH+0x0, or --width 1"),
        (["poke", "PATH+7", "0", "--width", "8"], "take PATH+0x0, or --width 1"),
        (["peek", "PATH+2M"], "which ends at 0x200000"),
        (["peek", "PATH", "--count", "524289"], "which ends at 0x200000"),
        (["poke", "PATH+2M", "0", "--width", "1"], "which ends at 0x200000"),
        (["peek", "PATH+0x10000000000000000", "--width", "1"], "which ends at"),
        (["peek", "PATH", "--width", "3"], "must be one of 1, 2, 4, 8"),
        (["peek", "PATH", "--width", "x"], "--width 'x': not a number"),
        (["peek", "PATH", "--count", "0"], "count 0: read at least one"),
        (["poke", "PATH", "0x100", "--width", "1"], "take 0 .. 0xff"),
        (["poke", "PATH", "0x100000000"], "take 0 .. 0xffffffff"),
        (["poke", "PATH", "one"], "value 'one': not a number"),
        (["poke", "PATH"], "VALUE"),
        (["peek", "nosuch+4"], "no /dev/physbuf/nosuch"),
        (["peek", "PATH+4+4"], "a length is for physbuf clean only; leave it out"),
        (["poke", "PATH+4+4", "0"], "a length is for physbuf clean only; leave it out"),
        (["load", "/dev/null", "PATH+4+4"], "a length is for physbuf clean only; leave it out"),
        (["clean", "PATH+2M"], "which has 0x200000 bytes"),
        (["clean", "PATH+0+0"], "which has 0x200000 bytes"),
        (["clean", "PATH+1+2M"], "which has 0x200000 bytes"),
        (["ring", "PATH"], "only a physbuf device can"),
        (["wait", "PATH"], "only a physbuf device can"),
        (["wait", "PATH", "--timeout", "-1"], "--timeout"),
        (["wait", "PATH", "--timeout", "nan"], "not a number of seconds"),
        (["load", "-", "PATH"], "no standard input here"),
        (["load", "/nonexistent/file", "PATH"], "/nonexistent/file"),
        (["load", "/dev/null", "PATH+0x200001"], "outside of the region, which has 0x200000 bytes"),
    ],
)
def test_refusals_change_nothing(path: str, argv: list[str], says: str) -> None:
    assert says.replace("PATH", path) in error(*[word.replace("PATH", path) for word in argv])
    assert Path(path).read_bytes() == b"\xee" * SIZE


def test_load(path: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    really_write = os.pwrite

    def count(descriptor: int, content: memoryview, offset: int) -> int:
        writes.append(len(content))
        return really_write(descriptor, content, offset)

    monkeypatch.setattr(os, "pwrite", count)
    content = file.read_bytes()
    loaded = answer("load", str(file), f"{path}+4097")
    assert loaded["crc32c"] == loaded["read_back"]
    assert (loaded["region"], loaded["offset"], loaded["address"], loaded["bytes"]) == ("region", 4097, None, LEGACY)
    assert writes == [LEGACY]  # in one go
    rest = SIZE - 4097 - LEGACY
    assert Path(path).read_bytes() == b"\xee" * 4097 + content + b"\xee" * rest


def test_the_checksum_is_the_crc32c(path: str, tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"123456789")
    assert answer("load", str(tmp_path / "small"), path)["crc32c"] == crc_of(b"123456789") == 0xE3069283
    page = pattern(7, 0, 4096)
    (tmp_path / "page").write_bytes(page)
    assert answer("load", str(tmp_path / "page"), path)["crc32c"] == int.from_bytes(page_crcs(page), "little")


def test_short_writes_are_gone_on_with(path: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, content, offset: really_write(fd, content[:100_001], offset))
    assert answer("load", str(file), path)["bytes"] == LEGACY
    assert Path(path).read_bytes() == file.read_bytes() + b"\xee" * (SIZE - LEGACY)


def test_a_file_that_does_not_fit_is_refused_whole(path: str, file: Path) -> None:
    says = error("load", str(file), f"{path}+1M")
    assert f"its {LEGACY} bytes do not fit into the {1 << 20} of {path}+0x100000; nothing was written" in says
    with open(file, "rb") as stdin:
        done = run("load", "-", f"{path}+1M", stdin=stdin)
    assert done.returncode == 2 and b"nothing was written" in done.stderr
    assert Path(path).read_bytes() == b"\xee" * SIZE


def test_a_file_that_just_fits(path: str, file: Path) -> None:
    answer("load", str(file), f"{path}+{SIZE - LEGACY}")
    assert Path(path).read_bytes() == b"\xee" * (SIZE - LEGACY) + file.read_bytes()
    empty = answer("load", "/dev/null", f"{path}+2M")
    assert (empty["bytes"], empty["crc32c"]) == (0, 0)


def test_load_from_a_pipe(path: str, file: Path) -> None:
    done = run("load", "-", path, "--json", input=file.read_bytes())
    assert done.returncode == 0 and json.loads(done.stdout)["bytes"] == LEGACY
    assert Path(path).read_bytes() == file.read_bytes() + b"\xee" * (SIZE - LEGACY)


@pytest.mark.parametrize("more", [1, 5 << 20])
def test_a_pipe_that_does_not_fit(path: str, more: int) -> None:
    content = pattern(3, 0, SIZE - 5 + more)
    done = run("load", "-", f"{path}+5", input=content)
    assert done.returncode == 2
    assert f"standard input: it does not fit; {SIZE - 5} bytes were written to {path}+0x5" in done.stderr.decode()
    assert Path(path).read_bytes() == b"\xee" * 5 + content[: SIZE - 5]


def test_no_space_left_in_the_middle(path: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def fill_up(_: int, content: memoryview, offset: int) -> int:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(offset)
        return 8192

    monkeypatch.setattr(os, "pwrite", fill_up)
    assert "No space left on device; 8192 bytes were written" in error("load", str(file), path)


def test_what_reads_back_otherwise_is_exit_code_1(
    path: str, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    really_read = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: really_read(fd, size - 1, offset + 1) + b"\0")
    assert main(["load", str(file), path]) == 1
    assert "but what reads back has" in capsys.readouterr().err


def test_load_is_a_writer(path: str, file: Path) -> None:
    with Region.open(path, writable=True) as other:
        other.lock()
        assert "another process writes it" in error("load", str(file), path)
    assert Path(path).read_bytes() == b"\xee" * SIZE


def test_load_interrupted(path: str) -> None:
    piece = 4 << 20  # it is written when the whole of it is there
    with open(path, "r+b") as grown:
        grown.truncate(2 * piece)
    command = [sys.executable, "-m", "physbuf", "load", "-", path]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"\x11" * piece)
    process.stdin.flush()
    while Path(path).read_bytes()[piece - 1] != 0x11:
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert re.search(rf"interrupted; at least (0|{piece}) bytes were written to {path}\+0x0$", errors.decode().strip())
    assert Path(path).read_bytes() == b"\x11" * piece + bytes(piece)


def test_clean(path: str) -> None:
    at = {"region": "region", "offset": 5, "address": None}
    assert answer("clean", f"{path}+5+7") == at | {"bytes": 7}
    assert answer("clean", path)["bytes"] == SIZE
    assert run("clean", f"{path}+4K").stdout == b"region: 2093056 bytes from 0x1000 on cleaned\n"


def test_wait_until_the_time_is_over(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe where nothing comes stands for a device that nobody rings."""
    reader, writer = os.pipe()
    with Region.open(path) as region:
        os.dup2(reader, region.descriptor)
        assert region.wait(0.01) == 0
        os.write(writer, b"!")
        with pytest.raises(PhysbufError, match="only a physbuf device can"):
            region.wait()
    os.close(reader)
    os.close(writer)


def test_wait_interrupted(path: str) -> None:
    program = (
        "import os, sys; from physbuf.region import Region; region = Region.open(sys.argv[1]);"
        "os.dup2(os.pipe()[0], region.descriptor); print('waiting', flush=True); region.wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"waiting\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert b"KeyboardInterrupt" in errors and process.returncode != 0


def test_the_answers_for_a_reader() -> None:
    from physbuf.show import show

    at = {"region": "log", "offset": 16, "address": 0x30000010}
    assert show("poke", at | {"width": 2, "value": 0x1F}) == ("0x30000010: 0x001f", "")
    assert show("peek", at | {"width": 4, "values": [1, 2]}) == ("0x30000010: 0x00000001\n0x30000014: 0x00000002", "")
    assert show("ring", {"region": "log"}) == ("log: rung", "")
    assert show("wait", {"region": "log", "rings": 2}) == ("log: rung 2 times", "")
    assert show("wait", {"region": "log", "rings": 0}) == ("", "log: nobody rang")
    loaded = at | {"bytes": 5, "crc32c": 0xABC, "read_back": 0xABC}
    assert show("load", loaded) == ("log: 5 bytes from 0x10 on written and read back, CRC32C 00000abc", "")


@pytest.mark.parametrize(("kind", "why"), [("dma", "buffers of programs"), ("regs", "physbuf peek and physbuf poke")])
def test_what_is_no_content_is_not_treated_as_such(path: str, file: Path, kind: str, why: str) -> None:
    from physbuf.load import load
    from physbuf.log import LogReader, LogWriter, format_log, holds_log

    with Region.open(path, writable=True) as region, open(file, "rb") as source:
        region.kind = kind
        for attempt in (
            lambda: load(source, "firmware", region, 0),
            lambda: region.fill(1),
            region.sha256,
            region.page_crcs,
            lambda: region.buffer,
            lambda: format_log(region),
            lambda: LogWriter(region),
            lambda: LogReader(region),
            lambda: holds_log(region),
        ):
            with pytest.raises(PhysbufError, match=f"it is of kind {kind}: .*{why}"):
                attempt()
    assert Path(path).read_bytes() == b"\xee" * SIZE
