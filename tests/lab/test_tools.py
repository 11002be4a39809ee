# SPDX-License-Identifier: MIT
"""The command line on the board, used by somebody who is not root."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from typing import Any

import pytest

from physbuf.pattern import pattern
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
    ],
)
def test_wrong_use_is_named(board: PhysbufStrategy, words: str, user: str, status: int, message: str) -> None:
    done = physbuf(board, words, user)
    assert done["status"] == status, done
    assert message in done["stderr"], done
    assert "Traceback" not in done["stderr"]
