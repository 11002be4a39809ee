# SPDX-License-Identifier: MIT
"""The build: refuses early, publishes whole, and takes nothing for finished that is not."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from steps import BuildError

import build
from physbuf.regions import parse_regions

KEY = "0123"
Capture = pytest.CaptureFixture[str]


def make(folder: Path, content: bytes = b"image", key: str = KEY) -> Path:
    folder.mkdir(parents=True)
    (folder / "disk.img").write_bytes(content)
    manifest = {"inputs": key, "image": {"sha256": hashlib.sha256(content).hexdigest()}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_finished_build_is_taken_as_one(tmp_path: Path) -> None:
    assert build._is_finished(make(tmp_path / "out"), KEY)


def test_a_build_from_other_inputs_is_not(tmp_path: Path) -> None:
    assert not build._is_finished(make(tmp_path / "out"), "other")


def test_nothing_is_not(tmp_path: Path) -> None:
    assert not build._is_finished(tmp_path / "out", KEY)


@pytest.mark.parametrize("name", ["disk.img", "manifest.json"])
def test_half_of_a_build_is_not(tmp_path: Path, name: str) -> None:
    out = make(tmp_path / "out")
    (out / name).unlink()
    assert not build._is_finished(out, KEY)


@pytest.mark.parametrize("name", ["disk.img", "manifest.json"])
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
    assert sorted(path.name for path in out.iterdir()) == ["disk.img", "manifest.json"]
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


def options(tmp_path: Path, **more: object) -> argparse.Namespace:
    chosen = {
        "out": tmp_path / "out",
        "work": tmp_path / "work",
        "suite": "trixie",
        "arguments": "panic=1",
        "no_reservation": False,
        "update": False,
    }
    return argparse.Namespace(**{**chosen, **more})


REGIONS = parse_regions("log@0x30000000+16M")


def test_an_interrupted_build_leaves_the_finished_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = make(tmp_path / "out", b"old", "old key")

    def interrupted(options: object, regions: object, key: str, temporary: Path) -> Path:
        make(temporary / "finished", b"half", key)
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "_make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build._build(options(tmp_path), REGIONS)
    assert (out / "disk.img").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_the_same_inputs_are_not_built_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    made: list[str] = []

    def _make(options: object, regions: object, key: str, temporary: Path) -> Path:
        made.append(key)
        return make(temporary / "finished", b"new", key)

    monkeypatch.setattr(build, "_make", _make)
    build._build(options(tmp_path), REGIONS)
    build._build(options(tmp_path), REGIONS)
    assert len(made) == 1
    assert "is up to date" in capsys.readouterr().err
    build._build(options(tmp_path, update=True), REGIONS)
    assert len(made) == 2
    (tmp_path / "out/disk.img").write_bytes(b"tampered")
    build._build(options(tmp_path), REGIONS)
    assert len(made) == 3
    assert len(set(made)) == 1


def test_the_key_covers_what_was_chosen(tmp_path: Path) -> None:
    keys = [
        build._inputs_key(options(tmp_path, **chosen), parse_regions(regions))
        for chosen, regions in (
            ({}, "log@0x30000000+16M"),
            ({"suite": "sid"}, "log@0x30000000+16M"),
            ({"arguments": "panic=2"}, "log@0x30000000+16M"),
            ({"no_reservation": True}, "log@0x30000000+16M"),
            ({}, "log@0x30000000+8M"),
            ({}, "log@0x30000000+16M,cache=wc"),
        )
    ]
    assert len(set(keys)) == len(keys)
    assert build._inputs_key(options(tmp_path, out="elsewhere"), REGIONS) == keys[0]


def test_the_key_covers_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "module"
    module.mkdir()
    source = module / "main.c"
    source.write_text("a")
    monkeypatch.setattr(build, "SOURCES", [module])
    monkeypatch.setattr(build, "TOP", Path("/"))

    def key() -> str:
        return build._inputs_key(options(tmp_path), REGIONS)

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


def run(recipe: Path, tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As the Makefile runs it."""
    places = ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    command = [sys.executable, str(recipe / "build.py"), *places, *words]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("regions", "why"),
    [
        ("log@0x30000100+16M", "the base 0x30000100 is not a multiple of the page size"),
        ("log@0x30000000", "the form is name@base+size"),
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
    monkeypatch.setattr(build, "TOOLS", {"no-such-tool": "its-package"})
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

    monkeypatch.setattr(build, "TOOLS", {})
    monkeypatch.setattr(build, "_make", stopped)
    assert main(monkeypatch, tmp_path) == status
    assert capsys.readouterr().err.splitlines()[1:] == [line]
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["work"]
