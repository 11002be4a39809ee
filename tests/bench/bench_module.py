# SPDX-License-Identifier: MIT
"""How fast the module's devices are, against /dev/mem on the same RAM and memcpy in the same run; nothing is asserted.

Prints a table and writes out/bench/bench.json: results[] {name, size, peer, ours_ns, peer_ns, ratio}. A ratio above 1
means that we took longer.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "out/bench/bench.json"
SIZE = 1 << 20
BASE = 0x30000000
ROUNDS = 5  # of each, by turns, so that a busy host hits both
MODULE = "/lib/modules/$(uname -r)/updates/physbuf.ko"
CACHES = ("wb", "wc", "uc")

Times = dict[str, tuple[int, int]]


@pytest.fixture
def guest(board: Any, tmp_path: Path) -> Any:
    program = tmp_path / "bench_module"
    subprocess.run(["gcc", "-O2", "-static", "-o", program, HERE / "bench_module.c"], check=True)
    board.channel.put(program.read_bytes(), "/tmp/bench_module", 0o755)
    yield board.channel
    run(board.channel, "rmmod physbuf; modprobe physbuf && mdev -s")


def run(guest: Any, command: str) -> str:
    done = guest.program("sh", "-c", command, timeout=120)
    assert done["status"] == 0, f"{command}: {done['stdout']}{done['stderr']}"
    return str(done["stdout"])


def measure(guest: Any, path: str, offset: int) -> Times:
    lines = run(guest, f"/tmp/bench_module {path} {offset:#x} {SIZE:#x}").splitlines()
    return {name: (int(ours), int(memcpy)) for name, ours, memcpy in map(str.split, lines)}


def best(times: list[Times]) -> Times:
    return {name: (min(t[name][0] for t in times), min(t[name][1] for t in times)) for name in times[0]}


def test_bench(guest: Any, capsys: pytest.CaptureFixture[str]) -> None:
    measured: dict[str, list[Times]] = {"/dev/mem": [], **{cache: [] for cache in CACHES}}
    for _ in range(ROUNDS):
        run(guest, "! grep -q ^physbuf /proc/modules || rmmod physbuf")
        measured["/dev/mem"].append(measure(guest, "/dev/mem", BASE))
        for cache in CACHES:
            run(guest, f"insmod {MODULE} regions=bench@{BASE:#x}+{SIZE},cache={cache} && mdev -s")
            measured[cache].append(measure(guest, "/dev/physbuf/bench", 0))
            run(guest, "rmmod physbuf")
    memory = best(measured["/dev/mem"])
    results = []
    for cache in CACHES:
        for name, (ours, memcpy) in best(measured[cache]).items():
            for peer, peer_ns in (("/dev/mem", memory[name][0]), ("memcpy", memcpy)):
                results.append({"name": f"{name} {cache}", "size": SIZE, "peer": peer, "ours_ns": ours,
                                "peer_ns": peer_ns, "ratio": round(ours / peer_ns, 3)})  # fmt: skip
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"results": results}, indent=2) + "\n")
    with capsys.disabled():
        print(f"\n{'1 MiB':16}{'peer':10}{'ours ns':>10}{'peer ns':>10}{'ratio':>8}")
        for row in results:
            print(f"{row['name']:16}{row['peer']:10}{row['ours_ns']:10}{row['peer_ns']:10}{row['ratio']:8.2f}")
