# SPDX-License-Identifier: MIT
"""The answers of the commands as text for a reader: what goes to stdout, and what to stderr."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["show"]


def show(command: str, answer: dict[str, Any]) -> tuple[str, str]:
    """The texts for stdout and stderr; either may be empty."""
    if command == "info":
        from .info import show as info

        return info(answer), ""
    if command == "doctor":
        from .doctor import show as doctor

        return doctor(answer), ""
    if command.startswith("log "):
        from .log_commands import show as log

        return log(command, answer)
    if command in _SIMPLE:
        return _SIMPLE[command](answer), ""
    from .access_commands import show as access

    return access(command, answer)


def _fill(answer: dict[str, Any]) -> str:
    return f"{answer['region']}: {answer['size']} bytes filled with the pattern of seed {answer['seed']:#x}"


def _digest(answer: dict[str, Any]) -> str:
    return f"{answer['sha256']}  {answer['region']}"


def _dump(answer: dict[str, Any]) -> str:
    return f"{answer['region']}: {answer['size']} bytes from {answer['offset']:#x} on written to {answer['file']}"


_SIMPLE = {"fill": _fill, "digest": _digest, "dump": _dump}
