# SPDX-License-Identifier: MIT
"""What counts as a source, and what a build left behind does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from sources import copy_sources, source_files

SOURCES = (
    ".gitignore",
    "Kbuild",
    "include/uapi/x.h",
    "main.c",
    "rebuild/a.c",
    "src/pkg/__init__.py",
    "src/pkg/builder.py",
)
LEFTOVERS = (
    "build/lib/x.py",
    "src/pkg/__pycache__/x.pyc",
    "src/pkg.egg-info/PKG-INFO",
    "src/pkg/_native.abi3.so",
    ".mypy_cache/x",
    ".pytest_cache/x",
    "libx.a",
    "main.o",
    "physbuf.ko",
    "physbuf.mod",
    "physbuf.mod.c",
    ".main.o.cmd",
    "Module.symvers",
    "modules.order",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*SOURCES, *LEFTOVERS):
        path = tmp_path / "module" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "module"


def test_sources_without_leftovers_in_a_fixed_order(folder: Path) -> None:
    assert [str(path.relative_to(folder)) for path in source_files(folder)] == sorted(SOURCES)


def test_a_copy_has_the_same_files(folder: Path, tmp_path: Path) -> None:
    copy_sources(folder, tmp_path / "copy")
    copied = sorted(
        str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()
    )
    assert copied == sorted(SOURCES)
    assert (tmp_path / "copy/main.c").read_text() == "main.c"
