# SPDX-License-Identifier: MIT
"""The transcript: every line that proves something is seen, however the console cuts it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physbuf_lab.console import Transcript

BOOT = b"[    0.000000] Linux version 6.12.1 (gcc) #1\r\n"
READY = b"physbuf-board: ready 3\r\n"
RESTART = b"[   12.1] reboot: Restarting system\r\n"
PANIC = b"[   12.1] Kernel panic - not syncing: sysrq triggered crash\r\n"
OOPS = b"[   12.1] Oops: 0002 [#1] SMP NOPTI\r\n"
STORY = b"SeaBIOS\r\n" + BOOT + READY + b"# " + PANIC + b"\r\n" + BOOT + READY


def kinds(transcript: Transcript) -> list[str]:
    return [event.kind for event in transcript.events]


@settings(deadline=None)
@given(st.sets(st.integers(1, len(STORY) - 1)))
def test_the_story_is_the_same_however_it_is_cut(cuts: set[int]) -> None:
    transcript = Transcript(None)
    borders = [0, *sorted(cuts), len(STORY)]
    lines = []
    for start, end in itertools.pairwise(borders):
        lines += transcript.hear(STORY[start:end])
    assert kinds(transcript) == ["boot", "ready", "panic", "boot", "ready"]
    assert transcript.boots == 2
    assert lines == STORY.split(b"\n")[:-1]
    assert transcript.events[2].line == "# [   12.1] Kernel panic - not syncing: sysrq triggered crash"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (BOOT, "boot"),
        (READY, "ready"),
        (RESTART, "restart"),
        (PANIC, "panic"),
        (OOPS, "oops"),
        (b"[ 1.0] BUG: kernel NULL pointer dereference\n", "oops"),
        (b"[ 1.0] traps: double fault: 0000\n", "oops"),
        (b"[ 1.0] general protection fault, probably\n", "oops"),
    ],
)
def test_what_a_line_means(line: bytes, kind: str) -> None:
    transcript = Transcript(None)
    transcript.hear(line)
    assert kinds(transcript) == [kind]


@pytest.mark.parametrize(
    "line", [b"$ grep 'Linux version' log\n", b"DEBUG:x\n", b"ready\n", b"Restarting\n", b"rebooting\n"]
)
def test_what_only_looks_alike_means_nothing(line: bytes) -> None:
    transcript = Transcript(None)
    transcript.hear(line)
    assert transcript.events == []


def test_a_line_counts_once_it_is_whole() -> None:
    transcript = Transcript(None)
    transcript.hear(BOOT[:-1])
    assert transcript.boots == 0
    assert transcript.unfinished == BOOT[:-1]
    transcript.hear(b"\n")
    assert transcript.boots == 1
    assert transcript.unfinished == b""


def test_bytes_that_are_no_text_do_no_harm() -> None:
    transcript = Transcript(None)
    transcript.hear(b"\xff\x00" + BOOT)
    assert transcript.boots == 1
    assert "\ufffd" in transcript.events[0].line


def test_since_a_mark() -> None:
    transcript = Transcript(None)
    transcript.hear(BOOT + READY)
    mark = transcript.mark()
    assert transcript.since(mark) == []
    transcript.hear(PANIC + BOOT)
    assert [event.kind for event in transcript.since(mark)] == ["panic", "boot"]
    assert [event.kind for event in transcript.since(mark, "boot")] == ["boot"]
    assert transcript.since(mark, "oops") == []


def test_the_file_has_every_byte_and_the_notes(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"before\n")
    transcript = Transcript(path)
    transcript.hear(b"\x1b[0mlog")
    transcript.note("trial 1")
    transcript.hear(b"in: ")
    assert path.read_bytes() == b"before\n\x1b[0mlog\n--- lab: trial 1\nin: "  # at once, not only at the end
    transcript.close()
    transcript.close()
    transcript.hear(BOOT)
    assert transcript.boots == 1
