# SPDX-License-Identifier: MIT
"""The build: refuses early, publishes whole, and takes nothing for finished that is not."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import image
import pytest
from boards import BOARDS, SAME_IMAGE
from image import SAMPLE, Job, inputs_key
from steps import BuildError

import build
from physbuf.regions import parse_regions

KEY = "0123"
Capture = pytest.CaptureFixture[str]


def make(folder: Path, content: bytes = b"image", key: str = KEY) -> Path:
    folder.mkdir(parents=True)
    (folder / "disk.img").write_bytes(content)
    (folder / SAMPLE).write_bytes(b"sample")
    beside = {SAMPLE: hashlib.sha256(b"sample").hexdigest()}
    manifest = {"inputs": key, "image": {"sha256": hashlib.sha256(content).hexdigest(), "beside": beside}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_finished_build_is_taken_as_one(tmp_path: Path) -> None:
    assert build._is_finished(make(tmp_path / "out"), KEY)


def test_a_build_from_other_inputs_is_not(tmp_path: Path) -> None:
    assert not build._is_finished(make(tmp_path / "out"), "other")


def test_nothing_is_not(tmp_path: Path) -> None:
    assert not build._is_finished(tmp_path / "out", KEY)


@pytest.mark.parametrize("name", ["disk.img", "manifest.json", SAMPLE])
def test_half_of_a_build_is_not(tmp_path: Path, name: str) -> None:
    out = make(tmp_path / "out")
    (out / name).unlink()
    assert not build._is_finished(out, KEY)


@pytest.mark.parametrize("name", ["disk.img", "manifest.json", SAMPLE])
def test_a_cut_build_is_not(tmp_path: Path, name: str) -> None:
    out = make(tmp_path / "out")
    (out / name).write_bytes((out / name).read_bytes()[:-1])
    assert not build._is_finished(out, KEY)


def test_a_tampered_image_is_not(tmp_path: Path) -> None:
    out = make(tmp_path / "out")
    (out / "disk.img").write_bytes(b"imagf")
    assert not build._is_finished(out, KEY)


@pytest.mark.parametrize(
    "manifest", ["[]", "null", "{}", f'{{"inputs": "{KEY}"}}', f'{{"inputs": "{KEY}", "image": null}}']
)
def test_a_manifest_of_another_kind_is_not(tmp_path: Path, manifest: str) -> None:
    out = make(tmp_path / "out")
    (out / "manifest.json").write_text(manifest)
    assert not build._is_finished(out, KEY)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A new build, in a temporary folder beside where it goes."""
    return make(tmp_path / ".out.x/finished", b"new")


def test_a_build_replaces_the_one_before_whole(tmp_path: Path, finished: Path) -> None:
    out = make(tmp_path / "out", b"old")
    (out / "left-over").touch()
    build._publish(finished, out)
    assert {path.name for path in out.iterdir()} == image.PRODUCTS
    assert (out / "disk.img").read_bytes() == b"new"


def test_the_first_build(tmp_path: Path, finished: Path) -> None:
    build._publish(finished, tmp_path / "out")
    assert (tmp_path / "out/disk.img").read_bytes() == b"new"


def test_an_interrupt_in_between_leaves_none(tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = make(tmp_path / "out", b"old")
    rename = Path.rename

    def interrupted(path: Path, to: Path) -> Path:
        if path == finished:
            raise KeyboardInterrupt
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build._publish(finished, out)
    assert not out.exists()


def job(tmp_path: Path, regions: str = "log@0x30000000+16M", **more: Any) -> Job:
    board = replace(BOARDS["qemu-x86_64"], **{key: more.pop(key) for key in ("suite", "arguments") if key in more})
    return Job(board, parse_regions(regions), tmp_path / "work", **more)


def test_an_interrupted_build_leaves_the_finished_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = make(tmp_path / "out", b"old", "old key")

    def interrupted(job: Job, key: str, temporary: Path) -> Path:
        make(temporary / "finished", b"half", key)
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build._build(job(tmp_path), out, update=False)
    assert (out / "disk.img").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_the_same_inputs_are_not_built_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    made: list[str] = []

    def _make(job: Job, key: str, temporary: Path) -> Path:
        made.append(key)
        return make(temporary / "finished", b"new", key)

    def again(update: bool = False) -> int:
        build._build(job(tmp_path), tmp_path / "out", update)
        return len(made)

    monkeypatch.setattr(build, "make", _make)
    assert again() == again() == 1
    assert "is up to date" in capsys.readouterr().err
    assert again(update=True) == 2
    (tmp_path / "out/disk.img").write_bytes(b"tampered")
    assert again() == 3
    assert len(set(made)) == 1


def kernel_tree(folder: Path) -> Path:
    """A kernel with the module, as somebody built it."""
    for name in ("boot/vmlinuz-6.12.1", "usr/lib/modules/6.12.1/kernel/physbuf.ko"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(name)
    return folder


def test_the_key_covers_what_was_chosen(tmp_path: Path) -> None:
    given = kernel_tree(tmp_path / "tree")
    keys = [
        inputs_key(job(tmp_path, **chosen))
        for chosen in (
            {},
            {"suite": "sid"},
            {"arguments": "panic=2"},
            {"reservation": False},
            {"regions": "log@0x30000000+8M"},
            {"regions": "log@0x30000000+16M,cache=wc"},
            {"kernel_tree": given},
        )
    ]
    (given / "usr/lib/modules/6.12.1/kernel/physbuf.ko").write_text("compiled anew")
    keys.append(inputs_key(job(tmp_path, kernel_tree=given)))
    assert len(set(keys)) == len(keys)
    assert inputs_key(replace(job(tmp_path), work=tmp_path / "elsewhere")) == keys[0]


def test_the_key_covers_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "module"
    module.mkdir()
    source = module / "main.c"
    source.write_text("a")
    monkeypatch.setattr(image, "SOURCES", [module])
    monkeypatch.setattr(image, "TOP", Path("/"))

    def key() -> str:
        return inputs_key(job(tmp_path))

    keys = [key()]
    source.write_text("b")
    keys.append(key())
    source.chmod(0o755)
    keys.append(key())
    source.rename(module / "other.c")
    keys.append(key())
    assert len(set(keys)) == 4
    (module / "main.o").write_text("left over")
    assert key() == keys[-1]


@pytest.mark.parametrize("board", BOARDS)
def test_the_defaults_of_every_board_can_be_built(board: str, tmp_path: Path) -> None:
    chosen = BOARDS[board]
    Job(chosen, parse_regions(chosen.regions), tmp_path).check()


@pytest.mark.parametrize("board", [*BOARDS, *SAME_IMAGE])
def test_the_lab_knows_every_board_and_where_its_image_is(board: str, recipe: Path) -> None:
    environment = (recipe.parents[1] / f"labgrid/boards/{board}.yaml").read_text()
    assert f"firmware: ../../out/image/{SAME_IMAGE.get(board, board)}/disk.img\n" in environment


def test_an_option_goes_over_the_boards_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHYSBUF_REGIONS", raising=False)
    wanted: list[tuple[Job, Path]] = []
    monkeypatch.setattr(build, "_build", lambda job, out, update: wanted.append((job, out)))
    monkeypatch.setattr(Job, "tools", lambda job: {})
    monkeypatch.chdir(build.TOP)
    for words in (
        ("--board", "qemu-arm64"),
        ("--board", "qemu-x86_64-uefi"),
        ("--suite", "sid", "--arguments", "quiet", "--regions", "crash@0x32000000+8M"),
    ):
        monkeypatch.setattr(sys, "argv", ["build.py", "--work", str(tmp_path), *words])
        assert build.main() == 0
    (arm, arm_out), (uefi, uefi_out), (own, own_out) = wanted
    assert (arm.board, arm_out) == (BOARDS["qemu-arm64"], Path("out/image/qemu-arm64"))
    assert (uefi.board, uefi_out) == (BOARDS["qemu-x86_64"], Path("out/image/qemu-x86_64"))
    assert (own.board.suite, own.board.arguments, own_out) == ("sid", "quiet", Path("out/image/qemu-x86_64"))
    assert list(map(str, own.regions)) == ["crash@0x32000000+8M"]


def run(recipe: Path, tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As the Makefile runs it."""
    places = ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    command = [sys.executable, str(recipe / "build.py"), *places, *words]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("regions", "why"),
    [
        ("log@0x30000100+16M", "the base 0x30000100 is not a multiple of the page size"),
        ("log@0x30000000", "the form is name@place+size"),
        ("a@0+8K b@4K+4K", "overlap"),
        (" ; ", "PHYSBUF_REGIONS is empty"),
        ("log@0x30000000+16M,method=dt", "use method=memmap"),
    ],
)
def test_bad_regions_are_refused_before_anything_is_done(recipe: Path, tmp_path: Path, regions: str, why: str) -> None:
    done = run(recipe, tmp_path, PHYSBUF_REGIONS=regions)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("recipes/debian: ")
    assert why in line
    assert not list(tmp_path.iterdir())


def test_arguments_that_a_boot_loader_cannot_say_are_refused_too(recipe: Path, tmp_path: Path) -> None:
    done = run(recipe, tmp_path, "--arguments", 'dyndbg="file x +p"')
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "GRUB cannot hand" in line
    assert not list(tmp_path.iterdir())


def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *words: str) -> int:
    monkeypatch.setattr(
        sys, "argv", ["build.py", "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work"), *words]
    )
    return build.main()


def test_a_missing_tool_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.setattr(Job, "tools", lambda job: {"no-such-tool": "its-package"})
    assert main(monkeypatch, tmp_path, "--regions", "log@0x30000000+16M") == 2
    assert capsys.readouterr().err == (
        "recipes/debian: missing tool no-such-tool; install it with: apt-get install its-package\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (BuildError("the mirror is gone"), 2, "recipes/debian: the mirror is gone"),
        (
            OSError(28, "No space left on device", "/some/file"),
            2,
            "recipes/debian: /some/file: No space left on device; free some space and run again",
        ),
        (OSError(13, "Permission denied", "/some/file"), 2, "recipes/debian: /some/file: Permission denied"),
        (KeyboardInterrupt(), 130, "recipes/debian: interrupted; nothing was published"),
    ],
)
def test_what_stops_a_build_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture, error: BaseException, status: int, line: str
) -> None:
    def stopped(*_: object) -> Path:
        raise error

    monkeypatch.setattr(Job, "tools", lambda job: {})
    monkeypatch.setattr(build, "make", stopped)
    assert main(monkeypatch, tmp_path) == status
    assert capsys.readouterr().err.splitlines()[1:] == [line]
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["work"]
