# SPDX-License-Identifier: MIT
"""``physbuf-lab``: qualify a board.

Exit status of ``qualify``: 0 pass, 1 fail, 2 usage or set-up, 3 inconclusive, 130 interrupted.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import SetupError

__all__ = ["main"]

BOARDS = Path(__file__).parent / "boards"
EVIDENCE = ("evidence.json", "junit.xml", "report.html", "console.log")
EXIT = {"pass": 0, "fail": 1, "inconclusive": 3}
EXIT_SETUP = 2
EXIT_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _qualify(options)
    except SetupError as error:
        print(f"physbuf-lab: {error}", file=sys.stderr)
        return EXIT_SETUP
    except OSError as error:
        print(f"physbuf-lab: {error.filename or options.out}: {error.strerror}", file=sys.stderr)
        return EXIT_SETUP
    except KeyboardInterrupt:
        print("physbuf-lab: interrupted before there was anything to report", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:  # our own mistake must not look like a board that lost its content
        traceback.print_exc()
        print(
            f"physbuf-lab: {type(error).__name__}: {error}; this is a fault of physbuf-lab, please report it",
            file=sys.stderr,
        )
        return EXIT["inconclusive"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="physbuf-lab", description="Qualify boards: what survives a reset?")
    commands = parser.add_subparsers(dest="command", required=True)
    qualify = commands.add_parser(
        "qualify",
        help="flash, reset in several ways, prove what survived",
        epilog="exit status: 0 pass, 1 fail, 2 usage or set-up, 3 inconclusive, 130 interrupted",
    )
    qualify.add_argument("--board", required=True, help=f"one of {', '.join(_boards())}, or a labgrid environment file")
    qualify.add_argument("--trials", type=_count, default=3, help="trials of each reset type (default 3)")
    qualify.add_argument("--out", type=Path, required=True, help="folder for the evidence")
    qualify.add_argument("--image", type=Path, help="disk.img or its folder, instead of the board's own")
    qualify.add_argument("--resets", default="reboot,panic,reset-pin", help="comma-separated (default %(default)s)")
    qualify.add_argument("--json", action="store_true", help="print the evidence to standard output")
    return parser


def _qualify(options: argparse.Namespace) -> int:
    _forget(options.out)
    path = _board_file(options.board)
    # labgrid and the emulator's monitor take a second to import; a mistyped option should not wait for them.
    from .campaign import run_campaign
    from .evidence import describe, write_evidence, write_junit
    from .report import write_report

    resets = _resets(options.resets)
    options.out.mkdir(parents=True, exist_ok=True)
    with _lock(options.out), _board(path) as board:
        if options.image:
            board.use_image(options.image)
        board.manifest.check_image()
        board.channel.record(options.out / "console.log")
        campaign = run_campaign(board, resets, options.trials, _say)
        evidence = describe(campaign, path.stem, board.manifest)
        write_evidence(evidence, options.out / "evidence.json")
        write_junit(campaign, path.stem, board.manifest, options.out / "junit.xml")
        write_report(evidence, options.out / "report.html", emulated=hasattr(board.power, "flip_ram"))
    for reason in campaign.reasons:
        _say(reason)
    _say(f"{campaign.result}: see {options.out}/report.html")
    if options.json:
        print(json.dumps(evidence, indent=2))
    return EXIT_INTERRUPTED if campaign.stopped == "interrupted" else EXIT[campaign.result]


def _forget(out: Path) -> None:
    """An older pass must not be taken for this run's, however this one ends."""
    if out.is_dir():
        with _lock(out):
            for name in EVIDENCE:
                (out / name).unlink(missing_ok=True)


def _resets(names: str) -> list[Any]:
    from .resets import RESETS

    chosen = names.split(",")
    unknown = [name for name in chosen if name not in RESETS]
    if unknown:
        raise SetupError(f"unknown reset type {', '.join(map(repr, unknown))}; known: {', '.join(RESETS)}")
    return [RESETS[name] for name in dict.fromkeys(chosen)]


def _boards() -> list[str]:
    return sorted(path.stem for path in BOARDS.glob("*.yaml"))


def _board_file(board: str) -> Path:
    path = Path(board) if "/" in board or board.endswith(".yaml") else BOARDS / f"{board}.yaml"
    if not path.is_file():
        raise SetupError(f"no board {board!r}; known: {', '.join(_boards())}, or give a labgrid environment file")
    return path.resolve()


@contextmanager
def _board(path: Path) -> Iterator[Any]:
    """The board's strategy, with the board off and everything given back at the end, whatever happens."""
    from labgrid.config import InvalidConfigError
    from labgrid.exceptions import InvalidConfigError as InvalidTargetError
    from labgrid.exceptions import NoDriverFoundError

    from labgrid import Environment

    try:
        environment = Environment(str(path))
    except (InvalidConfigError, InvalidTargetError) as error:
        raise SetupError(f"{path} is not a labgrid environment: {' '.join(str(error).split())}") from error
    try:
        try:
            strategy = environment.get_target("main").get_driver("PhysbufStrategy", activate=False)
            strategy.target.activate(strategy.power)
            strategy.target.activate(strategy.channel)
        except (InvalidTargetError, NoDriverFoundError, AttributeError) as error:
            raise SetupError(f"{path} has no target 'main' with a PhysbufStrategy: {error}") from error
        yield strategy
    finally:
        environment.cleanup()


@contextmanager
def _lock(out: Path) -> Iterator[None]:
    """Two campaigns must not write one folder."""
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SetupError(f"another campaign is writing {out}; wait for it, or choose another --out") from error
        yield


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} trials prove nothing; give at least 1")
    return value


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
