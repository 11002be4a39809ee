# SPDX-License-Identifier: MIT
"""report.html: the evidence for people, in one file without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from .evidence import write_whole

__all__ = ["write_report"]

LIMITS_OF_EMULATION = (
    "This board is emulated. RAM that QEMU keeps over a reset says that layout, reservation, boot loader and recovery "
    "are right. It says nothing about caches (QEMU has none to lose) nor about what a real DRAM, its controller and "
    "its firmware do at a reset."
)


def write_report(evidence: dict[str, Any], path: Path, emulated: bool) -> None:
    """Write the page, whole or not at all."""
    environment = Environment(
        loader=PackageLoader("physbuf_lab"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(
        evidence=evidence, limits=LIMITS_OF_EMULATION if emulated else None
    )
    write_whole(path, page)
