# SPDX-License-Identifier: MIT
"""Boards and images with a defect: each must fail, and the report must say why."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

Qualify = Callable[..., Any]


def test_an_image_without_the_reservation(qualify: Qualify, image: Callable[..., Path]) -> None:
    outcome = qualify("--image", image("no-reservation", "--no-reservation"))
    assert outcome.status == 1, outcome.said
    evidence = outcome.evidence
    assert evidence["result"] == "fail"
    assert evidence["trials"] == []
    assert any("boot-argument" in reason and "memmap=16M$0x30000000" in reason for reason in evidence["reasons"])
    assert "memmap=16M$0x30000000" in outcome.said
    console = (outcome.out / "console.log").read_text(errors="replace")
    assert "is System RAM, the kernel owns it" in console
    failures = ElementTree.parse(outcome.out / "junit.xml").findall(".//failure")
    assert len(failures) == len(evidence["regions"])


def test_a_region_where_the_firmware_writes(qualify: Qualify, image: Callable[..., Path]) -> None:
    trampled = image("trampled", "--regions", "trampled@0x3efe0000+15M")
    outcome = qualify("--image", trampled, "--resets", "reset-pin")
    assert outcome.status == 1, outcome.said
    evidence = outcome.evidence
    assert all(control["ok"] for control in evidence["controls"]), outcome.said
    (trial,) = evidence["trials"]
    (region,) = trial["regions"]
    assert trial["verdict"] == "corrupted"
    assert trial["proof"]["ok"]
    assert trial["flips_0to1"] + trial["flips_1to0"] > 0
    assert 0 <= region["first_offset"] < region["last_offset"] < region["size"]
    assert f"first at {region['first_offset']:#x}, last at {region['last_offset']:#x}" in outcome.said
    assert f"{region['first_offset']:#x}" in (outcome.out / "report.html").read_text()


def test_a_firmware_that_wipes_ram(qualify: Qualify, board_with: Callable[..., Path]) -> None:
    board = board_with("storage: 256M", "storage: 256M\n        wipes_ram: true")
    outcome = qualify(board=board)
    assert outcome.status == 1, outcome.said
    evidence = outcome.evidence
    assert [trial["verdict"] for trial in evidence["trials"]] == ["unreadable"] * 3
    assert all(control["ok"] for control in evidence["controls"])
    assert [cell["retained"] for cell in evidence["cells"]] == [0, 0, 0]
    assert [cell["loss_bound_95"] for cell in evidence["cells"]] == [1.0, 1.0, 1.0]


def test_the_same_image_boots_by_uefi(qualify: Qualify) -> None:
    outcome = qualify("--resets", "reset-pin", board="qemu-x86_64-uefi")
    assert outcome.status == 0, outcome.said
    console = (outcome.out / "console.log").read_text(errors="replace")
    assert "efi: EFI v" in console
    assert "memmap=16M$0x30000000" in console
