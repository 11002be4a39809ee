# SPDX-License-Identifier: MIT
"""The way to a tested board: flashed once, read back, booted, and asked what it is."""

from __future__ import annotations

import json

import pytest
from fake_board import Bench, declared
from labgrid.strategy import StrategyError

from physbuf_lab.errors import BoardError
from physbuf_lab.strategy import Status


def cause(bench: Bench, status: str = "ready") -> BaseException | None:
    with pytest.raises(StrategyError) as error:
        bench.strategy.transition(status)
    return error.value.__cause__


def test_from_unknown_to_ready(bench: Bench) -> None:
    bench.strategy.transition("ready")
    assert bench.strategy.status == Status.ready
    assert bench.board.history == ["off", "on"]
    assert bench.board.storage == bench.strategy.manifest.image.read_bytes()
    assert bench.strategy.flashed_digest == bench.strategy.reported_digest == bench.strategy.manifest.sha256
    assert bench.strategy.hello is not None
    assert bench.strategy.hello.boot_id == "boot-1"


def test_the_storage_is_written_once(bench: Bench) -> None:
    bench.strategy.transition("flashed")
    assert bench.board.history == ["off"]
    bench.board.damage_storage = lambda content: b"written twice"
    bench.strategy.transition("ready")
    bench.strategy.transition("ready")
    bench.strategy.power_cycle(2.0)
    assert bench.board.history == ["off", "on", "off", "on"]


def test_a_power_cycle_measures_the_time_off(bench: Bench) -> None:
    bench.strategy.transition("ready")
    before = bench.board.clock.now
    off = bench.strategy.power_cycle(7.0)
    assert 7.0 <= off <= bench.board.clock.now - before
    assert bench.strategy.hello is not None
    assert bench.strategy.hello.boot_id == "boot-2"


def test_what_reads_back_differently_is_a_bad_storage(bench: Bench) -> None:
    bench.board.damage_storage = lambda content: content[:-1] + b"x"
    error = cause(bench, "flashed")
    assert isinstance(error, BoardError)
    assert "the storage is bad" in str(error)
    assert bench.board.history == ["off"]


def test_a_board_that_boots_something_else(bench: Bench) -> None:
    for change in ({"inputs": "other"}, {"regions": []}, {"kernel": "other"}):
        bench.board.manifest = json.dumps({**declared(), **change})
        assert "the manifest of the booted system is not the one beside the image" in str(cause(bench))
        bench.strategy.broken = None


def test_a_board_with_another_kernel_or_other_tools(bench: Bench) -> None:
    for name in ("kernel", "physbuf"):
        setattr(bench.strategy.manifest, name, "9.9")
        assert "the manifest has" in str(cause(bench))
        bench.strategy.broken = None


@pytest.mark.parametrize("manifest", ["", "cat: no such file"])
def test_a_board_without_a_manifest(bench: Bench, manifest: str) -> None:
    bench.board.manifest = manifest
    assert "the booted system has no manifest" in str(cause(bench))


def test_a_board_that_reports_another_image(bench: Bench) -> None:
    bench.strategy.transition("flashed")
    bench.board.storage += b"x"
    error = cause(bench)
    assert isinstance(error, BoardError)
    assert "the board reports image" in str(error)
    assert bench.strategy.manifest.sha256 in str(error)


def test_a_board_that_does_not_start(bench: Bench) -> None:
    bench.board.boots_at_power_on = False
    assert "no kernel has started within 120 s" in str(cause(bench))


def test_what_is_broken_stays_broken(bench: Bench) -> None:
    bench.board.boots_at_power_on = False
    first = cause(bench)
    bench.board.boots_at_power_on = True
    assert cause(bench) is first


def test_there_is_no_way_back_to_unknown(bench: Bench) -> None:
    bench.strategy.transition("ready")
    assert "no way to" in str(cause(bench, "unknown"))
