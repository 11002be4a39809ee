# SPDX-License-Identifier: MIT
"""The recipe's modules import each other by bare names, as `python recipes/debian/build.py` finds them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
RECIPE = TOP / "recipes/debian"

sys.path.insert(0, str(RECIPE))


@pytest.fixture
def recipe() -> Path:
    """The folder of build.py."""
    return RECIPE


@pytest.fixture
def no_mirror_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which nobody has named a mirror."""
    for name in ("PHYSBUF_DEBIAN_MIRROR", "PHYSBUF_DEBIAN_SECURITY_MIRROR"):
        monkeypatch.delenv(name, raising=False)
