# SPDX-License-Identifier: MIT
"""What each command does: from its arguments to an exit code and a JSON object, or raw bytes."""

from __future__ import annotations

from .errors import DONE, FAULT, PhysbufError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any, BinaryIO

    Result = tuple[int, dict[str, Any] | memoryview]

__all__ = [
    "clean",
    "digest",
    "doctor",
    "dump",
    "fill",
    "info",
    "load",
    "log_append",
    "log_format",
    "log_read",
    "peek",
    "poke",
    "ring",
    "wait",
]


def info(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf info [REGION]``."""
    from .info import info as about

    return DONE, about(args.region)


def doctor(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf doctor``."""
    from .doctor import examine

    verdict = examine(args.manifest)
    return DONE if verdict["ok"] else FAULT, verdict


def fill(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf fill REGION --seed S``."""
    from .pattern import parse_seed
    from .region import Region

    seed = parse_seed(args.seed)
    with Region.open(args.region, writable=True) as region:
        region.fill(seed)
        return DONE, {"region": region.name, "size": region.size, "seed": seed}


def digest(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf digest REGION [--pages]``."""
    from .region import PAGE, Region

    with Region.open(args.region) as region:
        answer: dict[str, Any] = {
            "region": region.name,
            "base": region.base,
            "size": region.size,
            "sha256": region.sha256(),
            "page_size": PAGE,
        }
        if args.pages:
            from base64 import b64encode

            answer["pages"] = b64encode(region.page_crcs()).decode()
        return DONE, answer


def dump(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf dump REGION [--offset N] [--size N] [-o FILE]``; the bytes themselves without a file."""
    from .dump import part, save
    from .region import Region

    if args.json and args.output is None:
        raise PhysbufError("dump --json: the content is no JSON; name a file with -o FILE")
    with Region.open(args.region) as region:
        offset = 0 if args.offset is None else parse_bytes("--offset", args.offset)
        size = None if args.size is None else parse_bytes("--size", args.size)
        content = part(region, offset, size)
        if args.output is None:
            return DONE, content
        save(content, args.output)
        return DONE, {"region": region.name, "offset": offset, "size": len(content), "file": args.output}


def peek(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf peek PLACE``."""
    from . import access_commands

    return access_commands.peek(args)


def poke(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf poke PLACE VALUE``."""
    from . import access_commands

    return access_commands.poke(args)


def load(args: Namespace, stdin: BinaryIO | None) -> Result:
    """``physbuf load FILE PLACE``."""
    from . import access_commands

    return access_commands.load(args, stdin)


def clean(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf clean PLACE``."""
    from . import access_commands

    return access_commands.clean(args)


def ring(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf ring REGION``."""
    from . import access_commands

    return access_commands.ring(args)


def wait(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf wait REGION``."""
    from . import access_commands

    return access_commands.wait(args)


def log_append(args: Namespace, stdin: BinaryIO | None) -> Result:
    """``physbuf log append REGION [TEXT...]``."""
    from .log_commands import append

    return append(args, stdin)


def log_read(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf log read REGION``."""
    from .log_commands import read

    return read(args)


def log_format(args: Namespace, _: BinaryIO | None) -> Result:
    """``physbuf log format REGION``."""
    from .log_commands import format_region

    return format_region(args)


def parse_bytes(what: str, text: str) -> int:
    """A number of bytes as a user writes it: decimal or 0x…, with an optional K, M or G."""
    shift = {"K": 10, "M": 20, "G": 30}.get(text[-1:].upper(), 0)
    try:
        return int(text[:-1] if shift else text, 0) << shift
    except ValueError:
        raise PhysbufError(f"{what} {text!r}: not a number of bytes; write it as 4096, 0x1000 or 4K") from None
