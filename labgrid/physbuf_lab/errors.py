# SPDX-License-Identifier: MIT
"""What can go wrong in a lab, by what it means for the verdict."""

from __future__ import annotations

__all__ = ["BoardError", "SetupError"]


class SetupError(Exception):
    """The lab cannot start: a missing tool, a wrong board, no space. One line with the remedy; exit status 2."""


class BoardError(Exception):
    """The board did not behave: it died, it hangs, it does not answer. The trial under way is invalid."""
