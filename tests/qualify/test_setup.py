# SPDX-License-Identifier: MIT
"""What keeps a qualification from starting: one clear line, status 2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import BUILD, QUALIFY, TOP, build

Qualify = Callable[..., Any]


def test_an_unknown_board(qualify: Qualify) -> None:
    outcome = qualify(board="toaster")
    assert outcome.status == 2
    assert "'toaster'" in outcome.only_line
    assert "qemu-x86_64" in outcome.only_line


def test_no_image(qualify: Qualify, tmp_path: Path) -> None:
    outcome = qualify("--image", tmp_path / "nothing")
    assert outcome.status == 2
    assert "make image" in outcome.only_line


def test_an_image_that_is_not_the_manifests(qualify: Qualify, tmp_path: Path) -> None:
    manifest = json.loads((TOP / "out/image/qemu-x86_64/manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "disk.img").write_bytes(b"something else")
    outcome = qualify("--image", tmp_path)
    assert outcome.status == 2
    assert manifest["image"]["sha256"] in outcome.only_line


def test_a_missing_emulator(qualify: Qualify, tmp_path: Path) -> None:
    outcome = qualify(PATH=str(tmp_path))
    assert outcome.status == 2
    assert "missing tool qemu-system-x86_64" in outcome.said.splitlines()[-1]
    assert "Traceback" not in outcome.said


def test_an_emulator_that_does_not_start(qualify: Qualify, board_with: Callable[..., Path]) -> None:
    outcome = qualify(board=board_with("-nodefaults", "-bios /nothere/firmware.fd -nodefaults"))
    assert outcome.status == 2, outcome.said
    assert "/nothere/firmware.fd" in outcome.said.splitlines()[-1]
    assert "Traceback" not in outcome.said


def test_an_old_pass_does_not_outlive_a_wrong_call(qualify: Qualify, tmp_path: Path) -> None:
    old = tmp_path / "out/evidence.json"
    old.parent.mkdir()
    old.write_text('{"result": "pass"}')
    assert qualify("--resets", "bogus").status == 2
    assert not old.exists()


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "mine/thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    done = build(precious.parent)
    assert done.returncode == 2
    assert "'thesis.txt'" in done.stderr
    assert precious.read_text() == "years of work"


def on_a_full_disk(folder: Path, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a command that sees a disk of 1 MiB at ``folder``."""
    folder.mkdir()
    namespaces = ["--mount", "--propagation", "unchanged", *(["--map-root-user"] if os.geteuid() else [])]
    script = '{ mount --make-rprivate / 2>/dev/null || :; } && mount -t tmpfs -o size=1M tmpfs "$0" && exec "$@"'
    return subprocess.run(
        ["unshare", *namespaces, "sh", "-c", script, folder, *command],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_space_for_the_board(tmp_path: Path) -> None:
    full = tmp_path / "full"
    done = on_a_full_disk(full, [QUALIFY, "qualify", "--board", "qemu-x86_64", "--out", tmp_path / "out"])
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_no_space_for_the_image(tmp_path: Path) -> None:
    full = tmp_path / "full"
    done = on_a_full_disk(full, [sys.executable, BUILD, "--out", full / "image"])
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (full / "image").exists()


def test_no_network(tmp_path: Path) -> None:
    done = build(
        tmp_path / "image", "--work", str(tmp_path / "work"), PHYSBUF_DEBIAN_MIRROR="http://127.0.0.1:9/debian"
    )
    assert done.returncode == 2, done.stderr
    assert "127.0.0.1" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "image").exists()


def test_a_missing_build_tool(tmp_path: Path) -> None:
    for tool in ("apt-get", "cpio", "depmod", "dpkg-deb"):
        found = shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert found
        (tmp_path / tool).symlink_to(found)
    done = build(tmp_path / "image", PATH=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert "mksquashfs" in done.stderr
    assert "apt-get install" in done.stderr
