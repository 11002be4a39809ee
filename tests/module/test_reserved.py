# SPDX-License-Identifier: MIT
"""What user space sees of a region of kind ``reserved``: as root, as a member of group physbuf, as a stranger."""

from __future__ import annotations

from typing import Any

import pytest


def run_as(guest: Any, user: str, region: str) -> dict[str, Any]:
    """Run the test program; root first (it needs the kernel's log), see the program's header."""
    if user == "root":
        done: dict[str, Any] = guest.program("/tmp/test_reserved", region, timeout=120)
    else:
        done = guest.program("su", user, "-s", "/bin/sh", "-c", f"/tmp/test_reserved {region}", timeout=120)
    return done


@pytest.mark.parametrize("region", ["log", "legacy"])
@pytest.mark.parametrize("user", ["root", "app"])
def test_every_operation(guest: Any, user: str, region: str) -> None:
    done = run_as(guest, user, region)
    lines = done["stdout"].splitlines()
    failed = [line for line in lines if line.startswith("not ok")]
    passed = [line for line in lines if line.startswith("ok") and "# SKIP" not in line]
    assert done["status"] == 0, f"{failed}\n{done['stderr']}"
    assert not failed
    assert len(passed) > 140, f"only {len(passed)} tests ran: {lines[-3:]}"


def test_a_stranger_is_kept_out(guest: Any) -> None:
    done = run_as(guest, "nobody", "log")
    assert done["status"] == 2
    assert "Permission denied" in done["stderr"] + done["stdout"]
