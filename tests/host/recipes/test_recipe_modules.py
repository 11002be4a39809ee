# SPDX-License-Identifier: MIT
"""The table of kernels: what was built, what was not, and the exit status that says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import modules
import pytest
from steps import BuildError


class FakeToolchain:
    """Compiles for every architecture but those of ``fails``."""

    fails: tuple[str, ...] = ()

    says = ""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.work = tree / "build"

    def copy_in(self, *_: Path) -> None:
        (self.work / "module").mkdir(parents=True, exist_ok=True)
        (self.work / "module/main.c").write_text("int x;\n")

    def run(self, *command: str, folder: str) -> str:
        assert folder == "module"
        if any(architecture in command for architecture in self.fails):
            raise BuildError("error: implicit declaration of function 'vm_flags_set'")
        (self.work / "module/physbuf.ko").write_bytes(b"module")
        return self.says


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command over two suites with fakes; returns (status, rows)."""

    def headers(suite: str, *_: object) -> dict[str, str]:
        return {name: f"linux-headers-{suite}-{name}" for name in modules.ARCHITECTURES}

    def _table(*fails: str) -> tuple[int, list[dict[str, Any]]]:
        options = ["--out", tmp_path / "out", "--work", tmp_path, "--suites", "bookworm", "sid", "--json"]
        monkeypatch.setattr("sys.argv", ["modules.py", *map(str, options)])
        monkeypatch.setattr(modules, "Toolchain", FakeToolchain)
        monkeypatch.setattr(FakeToolchain, "fails", fails)
        monkeypatch.setattr(modules, "require", lambda tools: None)
        monkeypatch.setattr(modules, "_unpack", headers)
        monkeypatch.setattr(modules, "run", lambda command: f"magic of {command[-1].parent.name}\n")
        status = modules.main()
        return status, json.loads(capsys.readouterr().out)

    return _table


def test_all_built(table: Any, tmp_path: Path) -> None:
    status, rows = table()
    assert status == 0
    assert [row["kernel"] for row in rows] == ["bookworm-amd64", "bookworm-arm64", "sid-amd64", "sid-arm64"]
    assert rows[3]["vermagic"] == "magic of sid-arm64"
    assert (tmp_path / "out/sid-arm64/physbuf.ko").read_bytes() == b"module"


def test_one_that_does_not_build_is_named_and_the_others_go_on(table: Any, tmp_path: Path) -> None:
    status, rows = table("ARCH=arm64")
    assert status == 1
    assert [bool(row["fault"]) for row in rows] == [False, True, False, True]
    assert "vm_flags_set" in rows[1]["fault"]
    assert not (tmp_path / "out/sid-arm64").exists()


def test_what_sparse_has_against_one_is_a_failure_but_it_is_built(
    table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint = "/build/module/main.c:1:5: warning: symbol 'x' was not declared. Should it be static?"
    monkeypatch.setattr(FakeToolchain, "says", f"{complaint}\n")
    status, rows = table()
    assert status == 1
    assert [row["sparse"] for row in rows] == [[complaint]] * 4
    assert not any(row["fault"] for row in rows)
    assert (tmp_path / "out/sid-arm64/physbuf.ko").exists()


def test_the_table_has_a_line_for_each() -> None:
    rows = [
        modules.Row("trixie", "amd64", "6.12-amd64", "6.12 SMP", 7),
        modules.Row("sid", "arm64", "7.2", fault="no"),
        modules.Row("sid", "amd64", "7.2", "7.2 SMP", 8, sparse=("main.c:1:5: warning: x",)),
    ]
    first, second, third, fourth = modules._table(rows).splitlines()[1:]
    assert first.split() == ["trixie", "6.12-amd64", "yes", "clean", "7", "6.12", "SMP"]
    assert second.split() == ["sid", "7.2", "NO", "-", "0", "no"]
    assert third.split() == ["sid", "7.2", "yes", "NO", "8", "7.2", "SMP"]
    assert fourth.strip() == "main.c:1:5: warning: x"
