# SPDX-License-Identifier: MIT
"""What several of the host's tests need."""

from __future__ import annotations

import contextlib
import os
import pty
from collections.abc import Iterator

import pytest


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal: (ours, the program's)."""
    try:
        ends = pty.openpty()
    except OSError:
        pytest.skip("this machine has no pseudo-terminals (is /dev/pts mounted?)")
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)
