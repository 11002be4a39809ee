# SPDX-License-Identifier: MIT
"""One trial: the host draws a seed, the board writes, is reset with proof, and shows what it still holds."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256

from labgrid.strategy import StrategyError

from physbuf.pattern import pattern
from physbuf.regions import RegionSpec

from .channel import ChannelDriver
from .errors import BoardError
from .resets import Proof, ResetType, perform, power
from .strategy import PhysbufStrategy
from .verdict import CORRUPTED, INVALID, RETAINED, Comparison, compare, decode_checksums, worst

__all__ = ["Control", "Trial", "control_flip", "control_power", "run_trial"]

POWER_CONTROL_SECONDS = 5.0


@dataclass
class Trial:
    """What happened in one trial; ``why`` is empty unless it is invalid."""

    n: int
    reset: str
    seed: int
    verdict: str = INVALID
    regions: list[Comparison] = field(default_factory=list)
    proof: Proof | None = None
    why: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """For the evidence."""
        return {
            "n": self.n,
            "reset": self.reset,
            "seed": f"{self.seed:#018x}",
            "verdict": self.verdict,
            "flips_0to1": sum(region.flips_0to1 for region in self.regions),
            "flips_1to0": sum(region.flips_1to0 for region in self.regions),
            "regions": [region.as_dict() for region in self.regions],
            "proof": self.proof.as_dict() if self.proof else {"ok": False},
            "why": self.why,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        found = "; ".join(self.why) or "; ".join(str(region) for region in self.regions if region.verdict != RETAINED)
        return f"{self.reset}: {self.verdict}{f' ({found})' if found else ''}"


@dataclass
class Control:
    """A check of the instrument itself: something that must be seen was seen, or the run proves nothing."""

    name: str
    ok: bool
    detail: str

    def as_dict(self) -> dict[str, object]:
        """For the evidence."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail}


class _BoardRegion:
    """A region as the board shows it over the channel."""

    def __init__(self, channel: ChannelDriver, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._channel = channel

    def fill(self, seed: int) -> None:
        self._channel.command("fill", self.name, "--seed", str(seed))

    def digest(self) -> str:
        return str(self._channel.command("digest", self.name)["sha256"])

    def page_checksums(self) -> bytes:
        return decode_checksums(self._channel.command("digest", self.name, "--pages")["pages"])

    def read(self, offset: int, size: int) -> bytes:
        data = self._channel.command("dump", self.name, "--offset", str(offset), "--size", str(size))
        if not isinstance(data, bytes) or len(data) != size:
            raise BoardError(f"{self.name}: a dump of {size} bytes at {offset:#x} did not bring them")
        return data


def run_trial(board: PhysbufStrategy, reset: ResetType, n: int) -> Trial:
    """Write, reset, compare. A board that does not play its part makes the trial invalid; nothing is raised."""
    trial = Trial(n=n, reset=reset.name, seed=secrets.randbits(64))
    start = time.monotonic()
    mark = board.channel.transcript.mark()
    board.channel.transcript.note(f"trial {n}, {reset.name}, seed {trial.seed:#x}")
    try:
        _write(board, trial.seed)
        trial.proof = perform(reset, board)
        trial.regions = _compare(board, trial.seed)
        trial.why = [*trial.proof.why, *_disturbances(board, mark)]
    except (BoardError, StrategyError) as error:
        trial.why = [str(error)]
    if not trial.why:
        trial.verdict = worst([region.verdict for region in trial.regions])
    trial.seconds = time.monotonic() - start
    return trial


def control_flip(board: PhysbufStrategy) -> Control:
    """One byte of each region inverted behind the board's back must be found, at its place, and nothing else."""
    if not hasattr(board.power, "flip_ram"):
        return Control("flip", False, f"{type(board.power).__name__} cannot flip a byte of RAM")
    seed = secrets.randbits(64)
    _write(board, seed)
    details = []
    ok = bool(board.manifest.tried)
    for region in board.manifest.tried:
        offset = secrets.randbelow(region.size)
        board.power.flip_ram(_base(board, region) + offset)
        found = compare(_BoardRegion(board.channel, region.name, region.size), _seed_of(seed, region.name))
        caught = found.verdict == CORRUPTED and found.first_offset == found.last_offset == offset
        ok = ok and caught and found.flips_0to1 + found.flips_1to0 == 8
        details.append(f"byte {offset:#x} of {region.name} flipped; {found}")
    return Control("flip", ok, "; ".join(details))


def control_power(board: PhysbufStrategy) -> tuple[Control, Trial]:
    """Power away for seconds must lose the content, or the board does not really reset, or we do not really look."""
    trial = run_trial(board, power(POWER_CONTROL_SECONDS), 0)
    lost = bool(trial.regions) and all(region.verdict != RETAINED for region in trial.regions)
    return Control(trial.reset, trial.verdict != INVALID and lost, str(trial)), trial


def _write(board: PhysbufStrategy, seed: int) -> None:
    """Fill every region that is tried and see from here that the right content arrived."""
    for region in _regions(board):
        region.fill(_seed_of(seed, region.name))
        expected = sha256(pattern(_seed_of(seed, region.name), 0, region.size)).hexdigest()
        if region.digest() != expected:
            raise BoardError(f"{region.name}: what was written does not read back")


def _compare(board: PhysbufStrategy, seed: int) -> list[Comparison]:
    return [compare(region, _seed_of(seed, region.name)) for region in _regions(board)]


def _regions(board: PhysbufStrategy) -> list[_BoardRegion]:
    return [_BoardRegion(board.channel, region.name, region.size) for region in board.manifest.tried]


def _base(board: PhysbufStrategy, region: RegionSpec) -> int:
    """Where a region lies; only the board knows when its kernel chose."""
    if region.has_address:
        return region.base
    return int(board.channel.command("info", region.name)["regions"][0]["base"])


def _seed_of(seed: int, region: str) -> int:
    """Each region has content of its own, so that one shown in another's place is found."""
    return int.from_bytes(sha256(f"{seed:016x} {region}".encode()).digest()[:8], "little")


def _disturbances(board: PhysbufStrategy, mark: int) -> list[str]:
    """What must not happen in a whole trial, before and after the reset too."""
    transcript = board.channel.transcript
    why = [f"kernel trouble on the console: {event.line}" for event in transcript.since(mark, "oops")]
    boots = len(transcript.since(mark, "boot"))
    if boots != 1:
        why.append(f"{boots} boots in one trial: somebody else reset the board")
    return why
