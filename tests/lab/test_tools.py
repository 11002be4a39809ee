# SPDX-License-Identifier: MIT
"""The command line on the board, used by somebody who is not root."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from typing import Any

import pytest

from physbuf.pattern import pattern
from physbuf.regions import RegionSpec
from physbuf_lab.strategy import PhysbufStrategy


def physbuf(board: PhysbufStrategy, words: str, user: str = "app") -> dict[str, Any]:
    """Run a command as a user; its JSON is in ``json`` when it printed any."""
    done = board.channel.program("su", user, "-s", "/bin/sh", "-c", f"physbuf {words}")
    if "--json" in words and done["stdout"]:
        done["json"] = json.loads(done["stdout"])
    return done


def test_fill_digest_and_dump_without_being_root(board: PhysbufStrategy) -> None:
    seed = secrets.randbits(64)
    assert physbuf(board, f"fill legacy --seed {seed} --json")["status"] == 0
    size = next(region.size for region in board.manifest.regions if region.name == "legacy")
    digest = physbuf(board, "digest legacy --json")["json"]
    assert digest["sha256"] == sha256(pattern(seed, 0, size)).hexdigest()
    assert physbuf(board, "dump legacy --offset 8192 --size 4096 -o /tmp/dump")["status"] == 0
    dumped = board.channel.program("sha256sum", "/tmp/dump")["stdout"].split()[0]
    assert dumped == sha256(pattern(seed, 8192, 4096)).hexdigest()


def region_of(board: PhysbufStrategy, name: str) -> RegionSpec:
    return next(region for region in board.manifest.regions if region.name == name)


def fill(board: PhysbufStrategy, name: str) -> int:
    """Fill a region with a pattern; its seed."""
    seed = secrets.randbits(64)
    assert physbuf(board, f"fill {name} --seed {seed} --json")["status"] == 0
    return seed


def firmware(board: PhysbufStrategy, size: int) -> tuple[str, str]:
    """A file of random bytes on the board, and its SHA-256."""
    path = f"/tmp/firmware-{size}"
    made = board.channel.program("sh", "-c", f"head -c {size} /dev/urandom >{path} && chmod 644 {path}")
    assert made["status"] == 0, made
    return path, board.channel.program("sha256sum", path)["stdout"].split()[0]


@pytest.mark.parametrize("place", ["legacy", "address"])
def test_load_a_file_as_large_as_the_region(board: PhysbufStrategy, place: str) -> None:
    region = region_of(board, "legacy")
    path, digest = firmware(board, region.size)
    fill(board, "legacy")
    place = f"{region.base:#x}" if place == "address" else place
    loaded = physbuf(board, f"load {path} {place} --json")
    assert loaded["status"] == 0, loaded
    answer = loaded["json"]
    assert answer["crc32c"] == answer["read_back"]
    assert (answer["region"], answer["address"], answer["bytes"]) == ("legacy", region.base, region.size)
    assert physbuf(board, "digest legacy --json")["json"]["sha256"] == digest


def test_load_touches_nothing_else(board: PhysbufStrategy) -> None:
    region = region_of(board, "legacy")
    seed = fill(board, "legacy")
    path, _ = firmware(board, 5000)
    assert physbuf(board, f"load {path} {region.base + 4097:#x}")["status"] == 0
    found = board.channel.command("dump", "legacy", "--offset", "0", "--size", "16384")
    loaded = board.channel.command("dump", path)
    assert found == pattern(seed, 0, 4097) + loaded + pattern(seed, 9097, 16384 - 9097)
    rest = board.channel.command("dump", "legacy", "--offset", str(region.size - 8192), "--size", "8192")
    assert rest == pattern(seed, region.size - 8192, 8192)


def test_load_what_does_not_fit(board: PhysbufStrategy) -> None:
    region = region_of(board, "legacy")
    seed = fill(board, "legacy")
    path, digest = firmware(board, region.size)
    refused = physbuf(board, f"load {path} legacy+1")
    assert refused["status"] == 2 and "nothing was written" in refused["stderr"], refused
    unchanged = sha256(pattern(seed, 0, region.size)).hexdigest()
    assert physbuf(board, "digest legacy --json")["json"]["sha256"] == unchanged
    # Of a pipe nobody knows how much will come.
    words = f"cat {path} {path} | physbuf load - legacy"
    full = board.channel.program("su", "app", "-s", "/bin/sh", "-c", words)
    assert full["status"] == 2 and f"{region.size} bytes were written to legacy+0x0" in full["stderr"], full
    assert physbuf(board, "digest legacy --json")["json"]["sha256"] == digest


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_peek_and_poke_at_physical_addresses(board: PhysbufStrategy, width: int) -> None:
    region = region_of(board, "legacy")
    seed = fill(board, "legacy")
    at, value = 0x2000 + 3 * width, secrets.randbits(8 * width)
    expected = pattern(seed, 0x2000, 4096)
    peeked = physbuf(board, f"peek {region.base + at:#x} --width {width} --count 3 --json")["json"]
    words = [expected[start : start + width] for start in range(3 * width, 6 * width, width)]
    assert peeked["values"] == [int.from_bytes(word, "little") for word in words]
    assert (peeked["region"], peeked["offset"], peeked["address"]) == ("legacy", at, region.base + at)
    assert physbuf(board, f"poke {region.base + at:#x} {value:#x} --width {width}")["status"] == 0
    assert physbuf(board, f"peek legacy+{at:#x} --width {width} --json")["json"]["values"] == [value]
    poked = expected[: 3 * width] + value.to_bytes(width, "little") + expected[4 * width :]
    assert board.channel.command("dump", "legacy", "--offset", str(0x2000), "--size", "4096") == poked


def test_clean_works_where_there_is_a_cleaner(board: PhysbufStrategy) -> None:
    (region,) = physbuf(board, "info log --json")["json"]["regions"]
    cleaned = physbuf(board, "clean log+4096+100 --json")
    if region["cleaner"] == "none":
        assert cleaned["status"] == 2 and "cannot" in cleaned["stderr"], cleaned
    else:
        assert cleaned["status"] == 0, cleaned
        assert (cleaned["json"]["offset"], cleaned["json"]["bytes"]) == (4096, 100)


def test_who_waits_is_woken_by_a_ring(board: PhysbufStrategy) -> None:
    # The one who waits may not be there yet: ring until he is gone.
    app = "su app -s /bin/sh -c"
    words = (
        f"{app} 'physbuf wait log --json' >/tmp/rung & waiter=$!; "
        f"while kill -0 $waiter; do {app} 'physbuf ring log' || exit 9; done; wait $waiter"
    )
    woken = board.channel.program("sh", "-c", words)
    assert woken["status"] == 0, woken
    rung = json.loads(board.channel.program("cat", "/tmp/rung")["stdout"])
    assert rung["region"] == "log" and rung["rings"] >= 1


def test_the_notebook_of_the_module_can_be_read_only(board: PhysbufStrategy) -> None:
    (notebook,) = [region.name for region in board.manifest.regions if region.role == "state"]
    assert physbuf(board, f"dump {notebook} -o /tmp/notebook")["status"] == 0
    for words in (f"fill {notebook} --seed 1", f"poke {notebook} 0", f"load /etc/hostname {notebook}"):
        refused = physbuf(board, words)
        assert refused["status"] == 2 and "it has role=state" in refused["stderr"], refused


def test_the_module_counts_the_boots(board: PhysbufStrategy) -> None:
    from physbuf_lab.resets import RESETS, perform

    def log() -> dict[str, Any]:
        (region,) = physbuf(board, "info log --json")["json"]["regions"]
        return region

    before = log()["boots"]
    proof = perform(RESETS["reset-pin"], board)
    assert proof.ok, proof.why
    assert (log()["boots"], log()["moved"]) == (before + 1, "no")


def test_a_record_is_readable_after_the_reset_that_followed_it(board: PhysbufStrategy) -> None:
    from physbuf_lab.resets import RESETS, perform

    text = f"last words {secrets.token_hex(8)}"
    assert physbuf(board, "log format log --json")["status"] == 0
    assert physbuf(board, f"log append log '{text}' --json")["status"] == 0
    proof = perform(RESETS["reset-pin"], board)
    assert proof.ok, proof.why
    assert physbuf(board, "log append log after --json")["status"] == 0
    log = physbuf(board, "log read log --json")["json"]
    assert [record["text"] for record in log["records"]] == [text, "after"]
    first, second = (record["epoch"] for record in log["records"])
    assert second == first + 1
    assert log["report"]["torn"] == 0


@pytest.mark.parametrize(
    ("words", "user", "status", "message"),
    [
        ("digest nothere", "app", 2, "nothere"),
        ("fill log --seed 1", "nobody", 2, "group physbuf"),
        ("fill log --seed banana", "app", 2, "banana"),
        ("dump log --offset 0x1000001 --size 1", "app", 2, "0x1000000"),
        ("dump log -o /nothere/file", "app", 2, "/nothere"),
        ("frobnicate", "app", 2, "frobnicate"),
        ("peek 0x1000", "app", 2, "in no region; there are: "),
        ("peek log+1", "app", 2, "not a multiple of the width 4"),
        ("peek log+16M", "app", 2, "which ends at 0x1000000"),
        ("poke log 256 --width 1", "app", 2, "take 0 .. 0xff"),
        ("poke log 0", "nobody", 2, "group physbuf"),
        ("load /nothere/file log", "app", 2, "/nothere/file"),
        ("clean log+16M", "app", 2, "which has 0x1000000 bytes"),
        ("wait log --timeout 0", "app", 1, "nobody rang"),
        ("wait log --timeout soon", "app", 2, "'soon'"),
    ],
)
def test_wrong_use_is_named(board: PhysbufStrategy, words: str, user: str, status: int, message: str) -> None:
    done = physbuf(board, words, user)
    assert done["status"] == status, done
    assert message in done["stderr"], done
    assert "Traceback" not in done["stderr"]
