# SPDX-License-Identifier: MIT
"""What in our folders is source: all that a build did not leave there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

__all__ = ["copy_sources", "source_files"]

LEFTOVERS = (
    "build", "__pycache__", "*.egg-info", "*.so", ".*cache",
    "*.a", "*.ko", "*.mod", "*.mod.c", "*.o", ".*.cmd", "Module.symvers", "modules.order",
)  # fmt: skip


def source_files(folder: Path) -> Iterator[Path]:
    """The files below a folder, in a fixed order."""
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in LEFTOVERS):
            continue
        if path.is_dir():
            yield from source_files(path)
        else:
            yield path


def copy_sources(folder: Path, to: Path) -> None:
    """Copy a folder without leftovers."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns(*LEFTOVERS))
