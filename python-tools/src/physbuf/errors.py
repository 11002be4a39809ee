# SPDX-License-Identifier: MIT
"""The one exception of this package, and the exit codes of its command."""

from __future__ import annotations

__all__ = ["DONE", "FAULT", "INTERRUPTED", "USAGE", "PhysbufError"]

DONE = 0
FAULT = 1
USAGE = 2
INTERRUPTED = 130


class PhysbufError(Exception):
    """What went wrong, in one line that names the thing, the value and the remedy; ``exit_code`` for the command."""

    def __init__(self, message: str, exit_code: int = USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code
