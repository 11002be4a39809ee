# SPDX-License-Identifier: MIT
"""report.html: for people, from one file, whatever a board wrote on its console."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from physbuf_lab.campaign import Campaign
from physbuf_lab.evidence import describe
from physbuf_lab.manifest import Manifest
from physbuf_lab.report import LIMITS_OF_EMULATION, write_report
from physbuf_lab.resets import Proof
from physbuf_lab.trial import Control, Trial
from physbuf_lab.verdict import Comparison

HOSTILE = """Oops: <script src="http://evil/">alert(1)</script><img src=x onerror='alert(2)'> {{ 7 * 7 }} &amp;"""


class Page(HTMLParser):
    """The tags with their attributes, the text, and the cells of each table row."""

    VOID = ("meta", "link", "img", "br", "rect", "input")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self._in_cell = False
        self.source = path.read_text()
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._in_cell:
            self.rows[-1][-1] += data


def hostile() -> Campaign:
    proof = Proof("a1a1a1a1-0000", "b2b2b2b2-0000", 1, 2)
    hit = Comparison("log", "corrupted", 65536, 31, 41, 0x1234, 0x5678, 2, 2)
    trials = [Trial(n, "reboot", n, "retained", [], proof, [], 1.0) for n in range(1, 30)]
    trials.append(Trial(30, "reboot", 30, "corrupted", [hit], proof, [], 1.0))
    trials.append(Trial(31, "panic", 31, "invalid", [], None, [HOSTILE], 1.0))
    return Campaign(
        ["reboot", "panic", "reset-pin"],
        30,
        controls=[Control("flip", False, HOSTILE)],
        trials=trials,
        stopped=HOSTILE,
    )


def make(campaign: Campaign, image: Path, board: str = "desk", emulated: bool = True) -> Page:
    path = image.parent / "report.html"
    evidence: dict[str, Any] = describe(campaign, board, Manifest(image))
    write_report(evidence, path, emulated=emulated)
    return Page(path)


@pytest.fixture
def page(image: Path) -> Page:
    return make(hostile(), image, board=HOSTILE)


def test_it_loads_nothing(page: Page) -> None:
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.tags:
        assert not {"src", "href", "xlink:href", "srcset", "action", "data"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    (style,) = re.findall(r"<style>(.*?)</style>", page.source, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    assert not any("url(" in (attributes.get("style") or "") for _, attributes in page.tags)


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    shown = "".join(page.text)
    assert shown.count(HOSTILE) >= 5  # board, reasons, control, trial
    assert "<script" not in page.source
    assert "49" not in re.findall(r"Oops.{90}", shown)[0]


def test_each_trial_has_a_square_and_a_row(page: Page) -> None:
    squares = [attributes for tag, attributes in page.tags if tag == "rect"]
    assert len(squares) == 31
    assert [str(square["style"]) for square in squares[28:]] == [
        "fill: var(--retained)",
        "fill: var(--corrupted)",
        "fill: var(--invalid)",
    ]
    rows = [row for row in page.rows if len(row) == 8][1:]
    assert [row[0] for row in rows] == [str(n) for n in range(1, 32)]
    assert rows[29][:5] == ["30", "reboot", "corrupted", "31", "41"]
    assert "log 0x1234–0x5678" in rows[29][5]
    assert "boot 1 → 2" in rows[0][6]
    assert "a1a1a1a1 → b2b2b2b2" in rows[0][6]
    assert HOSTILE in rows[30][6]


def test_each_picture_holds_its_squares(page: Page) -> None:
    pictures: list[list[tuple[float, ...]]] = []
    for tag, attributes in page.tags:
        if tag == "svg":
            _, _, right, bottom = (float(word) for word in (attributes["viewbox"] or "").split())
            pictures.append([])
        if tag == "rect":
            x, y, width, height = (float(attributes[name] or "") for name in ("x", "y", "width", "height"))
            assert (x, y) not in pictures[-1]
            assert 0 <= x < x + width <= right
            assert 0 <= y < y + height <= bottom
            pictures[-1].append((x, y))
    assert sum(len(squares) for squares in pictures) == 31


def test_each_cell_says_how_many_and_how_sure(page: Page) -> None:
    shown = re.sub(r"\s+", " ", "".join(page.text))
    assert re.search(r"reboot 29 of 30 retained, loss \S 14\.9 %", shown)
    assert re.search(r"panic 0 of 1 retained, (1 invalid, )?loss \S 100\.0 %", shown)
    assert re.search(r"reset-pin 0 of 0 retained, loss \S 100\.0 %", shown)


def test_what_was_tested(page: Page, image: Path) -> None:
    manifest = Manifest(image)
    shown = "".join(page.text)
    for fact in (manifest.sha256, manifest.kernel, *map(str, manifest.regions)):
        assert fact in shown


@pytest.mark.parametrize("emulated", [True, False])
def test_an_emulated_board_is_called_one(image: Path, emulated: bool) -> None:
    page = make(hostile(), image, emulated=emulated)
    assert (LIMITS_OF_EMULATION in "".join(page.text)) == emulated


def test_a_campaign_without_a_trial(image: Path) -> None:
    page = make(Campaign(["reboot"], 3, faults=["doctor: nothing reserved"]), image)
    shown = "".join(page.text)
    assert "doctor: nothing reserved" in shown
    assert "none was run" in shown
    assert not [tag for tag, _ in page.tags if tag == "rect"]


def test_the_result_is_on_top(image: Path) -> None:
    page = make(Campaign(["reboot"], 3), image)
    classes = [attributes.get("class") for tag, attributes in page.tags if tag == "span"]
    assert classes[0] == "verdict inconclusive"
    assert "inconclusive" in page.text
