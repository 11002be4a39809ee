# SPDX-License-Identifier: MIT
"""The evidence: its keys, junit.xml as other tools read it, and files that are whole or not there."""

from __future__ import annotations

import errno
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from physbuf_lab.campaign import Campaign
from physbuf_lab.evidence import SCHEMA, describe, write_evidence, write_junit, write_whole
from physbuf_lab.manifest import Manifest
from physbuf_lab.resets import Proof
from physbuf_lab.trial import Control, Trial
from physbuf_lab.verdict import Comparison

HOSTILE = 'Oops: </testcase><script src="http://evil/">alert(1)</script> & "quotes" \x1b[0m\x00\x07 ü \ufffd'


def mixed() -> Campaign:
    """One of everything."""
    proof = Proof("a" * 36, "b" * 36, 1, 2, ["[ 0.0] Linux version"])
    hit = Comparison("log", "corrupted", 65536, 3, 4, 17, 4099, 2, 2)
    kept = Comparison("legacy", "retained", 8192)
    return Campaign(
        ["reboot", "panic"],
        2,
        controls=[Control("flip", True, "caught"), Control("power(5)", False, HOSTILE)],
        trials=[
            Trial(1, "reboot", 1, "retained", [kept], proof, [], 1.5),
            Trial(2, "reboot", 2, "corrupted", [hit, kept], proof, [], 2.5),
            Trial(3, "panic", 3, "unreadable", [hit], proof, [], 2.5),
            Trial(4, "panic", 4, "invalid", [], None, [HOSTILE], 2.5),
        ],
        faults=["doctor: <none>"],
        stopped=HOSTILE,
        doctor={"ok": True},
    )


def clean() -> Campaign:
    return Campaign(
        ["reboot"],
        1,
        controls=[Control("flip", True, "")],
        trials=[Trial(1, "reboot", 1, "retained", [], Proof("a", "b", 1, 2))],
    )


@pytest.fixture
def manifest(image: Path) -> Manifest:
    return Manifest(image)


@pytest.fixture
def evidence(manifest: Manifest, tmp_path: Path) -> Any:
    """As it comes back from the file."""
    write_evidence(describe(mixed(), "desk", manifest), tmp_path / "evidence.json")
    return json.loads((tmp_path / "evidence.json").read_text())


def test_the_keys_that_others_rely_on(evidence: Any, manifest: Manifest) -> None:
    assert evidence["schema"] == SCHEMA == "physbuf-evidence-1"
    assert evidence["board"] == "desk"
    assert evidence["result"] == "fail"
    assert evidence["image"]["sha256"] == manifest.sha256
    assert evidence["image"]["kernel"] == manifest.kernel
    assert [(control["name"], control["ok"]) for control in evidence["controls"]] == [
        ("flip", True),
        ("power(5)", False),
    ]
    keys = ("n", "reset", "verdict", "flips_0to1", "flips_1to0")
    assert [tuple(trial[key] for key in keys) for trial in evidence["trials"]] == [
        (1, "reboot", "retained", 0, 0),
        (2, "reboot", "corrupted", 3, 4),
        (3, "panic", "unreadable", 3, 4),
        (4, "panic", "invalid", 0, 0),
    ]
    assert [trial["proof"]["ok"] for trial in evidence["trials"]] == [True, True, True, False]
    assert evidence["trials"][0]["proof"]["boot_id_before"] == "a" * 36
    assert [(cell["reset"], cell["trials"], cell["retained"]) for cell in evidence["cells"]] == [
        ("reboot", 2, 1),
        ("panic", 2, 0),
    ]
    assert all(0 < cell["loss_bound_95"] <= 1 for cell in evidence["cells"])


def test_what_else_is_needed_to_repeat_it(evidence: Any, manifest: Manifest) -> None:
    assert evidence["reasons"] == mixed().reasons
    assert [region["spec"] for region in evidence["regions"]] == [str(region) for region in manifest.regions]
    assert evidence["trials"][1]["seed"] == "0x0000000000000002"
    assert evidence["trials"][1]["regions"][0]["last_offset"] == 4099
    assert evidence["trials"][3]["why"] == [HOSTILE]
    assert set(evidence["lab"]) == {"physbuf-lab", "labgrid", "python", "host"}


def junit(campaign: Campaign, manifest: Manifest, path: Path) -> ElementTree.Element:
    write_junit(campaign, "desk", manifest, path)
    suite = ElementTree.parse(path).getroot().find("testsuite")
    assert suite is not None
    return suite


def test_junit_counts_errors_and_failures(manifest: Manifest, tmp_path: Path) -> None:
    suite = junit(mixed(), manifest, tmp_path / "junit.xml")
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8", "failures": "3", "errors": "3", "skipped": "0",
    }  # fmt: skip
    found = {
        (case.get("classname"), case.get("name")): [child.tag for child in case] for case in suite.iter("testcase")
    }
    assert found == {
        ("physbuf.doctor", "fault-1"): ["failure"],
        ("physbuf.control", "flip"): [],
        ("physbuf.control", "power(5)"): ["error"],
        ("physbuf.reboot", "trial-1"): [],
        ("physbuf.reboot", "trial-2"): ["failure"],
        ("physbuf.panic", "trial-3"): ["failure"],
        ("physbuf.panic", "trial-4"): ["error"],
        ("physbuf.campaign", "stopped"): ["error"],
    }


def test_junit_carries_the_digest_and_what_was_found(manifest: Manifest, tmp_path: Path) -> None:
    suite = junit(mixed(), manifest, tmp_path / "junit.xml")
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert properties == {"board": "desk", "image.sha256": manifest.sha256, "result": "fail"}
    failure, error = suite.find(".//failure[@message]"), suite.findall(".//error[@message]")
    assert failure is not None
    assert failure.get("message") == "doctor: <none>"
    message = error[1].get("message") or ""
    assert '<script src="http://evil/">alert(1)</script> & "quotes"' in message
    assert "ü" in message
    assert not any(char in message for char in "\x00\x07\x1b")


def test_a_clean_junit(manifest: Manifest, tmp_path: Path) -> None:
    suite = junit(clean(), manifest, tmp_path / "junit.xml")
    assert [suite.get(key) for key in ("tests", "failures", "errors")] == ["2", "0", "0"]


def full_disk(path: Path, text: str, *_: object, **__: object) -> int:
    with path.open("w") as file:
        file.write(text[: len(text) // 2])
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "evidence.json"
    write_whole(path, "old and whole")
    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new and longer")
    assert path.read_text() == "old and whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_no_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "evidence.json", "new")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_no_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path, text: str) -> int:
        full = path.open("w")
        full.write(text)
        full.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "evidence.json", "new")
    assert list(tmp_path.iterdir()) == []
