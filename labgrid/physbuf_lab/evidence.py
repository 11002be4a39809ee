# SPDX-License-Identifier: MIT
"""The evidence of a campaign: evidence.json and junit.xml. Keys are described in docs/qualification.md."""

from __future__ import annotations

import json
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import junitparser

from . import __version__
from .campaign import Campaign
from .manifest import Manifest
from .trial import Trial
from .verdict import INVALID, RETAINED

__all__ = ["SCHEMA", "describe", "write_evidence", "write_junit", "write_whole"]

SCHEMA = "physbuf-evidence-1"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # a console says what it likes, XML cannot hold it


def describe(campaign: Campaign, board: str, manifest: Manifest) -> dict[str, Any]:
    """The evidence as one JSON object."""
    return {
        "schema": SCHEMA,
        "result": campaign.result,
        "reasons": campaign.reasons,
        "board": board,
        "image": {
            "sha256": manifest.sha256,
            "kernel": manifest.kernel,
            "physbuf": manifest.physbuf,
            "inputs": manifest.inputs,
        },
        "regions": [region.as_dict() for region in manifest.regions],
        "controls": [control.as_dict() for control in campaign.controls],
        "cells": [cell.as_dict() for cell in campaign.cells],
        "trials": [trial.as_dict() for trial in campaign.trials],
        "control_trials": [trial.as_dict() for trial in campaign.control_trials],
        "doctor": campaign.doctor,
        "began": datetime.fromtimestamp(campaign.began, UTC).isoformat(timespec="seconds"),
        "seconds": round(campaign.seconds, 1),
        "lab": {
            "physbuf-lab": __version__,
            "labgrid": version("labgrid"),
            "python": platform.python_version(),
            "host": platform.platform(),
        },
    }


def write_evidence(evidence: dict[str, Any], path: Path) -> None:
    """evidence.json, whole or not at all."""
    write_whole(path, json.dumps(evidence, indent=2) + "\n")


def write_junit(campaign: Campaign, board: str, manifest: Manifest, path: Path) -> None:
    """junit.xml: one test case for each control and trial, the image's digest among the properties."""
    suite = junitparser.TestSuite("physbuf.qualify")
    suite.timestamp = datetime.fromtimestamp(campaign.began, UTC).isoformat(timespec="seconds")
    for name, value in (("board", board), ("image.sha256", manifest.sha256), ("result", campaign.result)):
        suite.add_property(name, value)
    for number, fault in enumerate(campaign.faults, 1):
        suite.add_testcase(_case("doctor", f"fault-{number}", junitparser.Failure(fault)))
    for control in campaign.controls:
        suite.add_testcase(_case("control", control.name, None if control.ok else junitparser.Error(control.detail)))
    for trial in campaign.trials:
        suite.add_testcase(_case(trial.reset, f"trial-{trial.n}", _finding(trial), trial.seconds))
    if campaign.stopped:
        suite.add_testcase(_case("campaign", "stopped", junitparser.Error(campaign.stopped)))
    xml = junitparser.JUnitXml()
    xml.add_testsuite(suite)
    write_whole(path, _NOT_XML.sub("\ufffd", xml.tostring().decode()) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file beside and rename it, so that a full disk or an interrupt leaves none that is cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _case(group: str, name: str, finding: junitparser.junitparser.Result | None, seconds: float = 0.0) -> Any:
    case = junitparser.TestCase(name, classname=f"physbuf.{group}", time=seconds)
    if finding is not None:
        case.result = [finding]
    return case


def _finding(trial: Trial) -> Any:
    if trial.verdict == RETAINED:
        return None
    return junitparser.Error(str(trial)) if trial.verdict == INVALID else junitparser.Failure(str(trial))
