# SPDX-License-Identifier: MIT
"""One version everywhere: DKMS, the module and the Python packages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((TOP / "python-tools/pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("module/dkms.conf", r'^PACKAGE_VERSION="(.*)"$'),
        ("module/main.c", r'^#define PHYSBUF_VERSION "(.*)"$'),
    ],
)
def test_it_is_that_of_the_board_s_tools(file: str, pattern: str) -> None:
    assert re.findall(pattern, (TOP / file).read_text(), re.MULTILINE) == [VERSION]
