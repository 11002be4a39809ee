# SPDX-License-Identifier: MIT
"""The command ``physbuf``.

Exit codes, the same for all commands: 0 done; 1 the answer is bad (the doctor found a fault, the log has torn or
damaged records or gaps, what was loaded reads back otherwise, nobody rang in time); 2 usage or set-up (no such region,
no permission, no space); 130 interrupted.
"""

from __future__ import annotations

import os
import sys

from . import commands
from .errors import DONE, INTERRUPTED, USAGE, PhysbufError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any, BinaryIO

__all__ = ["execute", "main"]

EPILOG = """\
REGION is a name (log is /dev/physbuf/log) or, with a '/' in it, the path of a device, a file or a raw dump.
PLACE is REGION, REGION+OFFSET, or a physical address inside a region; numbers as 4096, 0x1000 or 4K.
Exit codes: 0 done; 1 the answer is bad (a fault found, torn or damaged records read, loaded content that reads back
otherwise, nobody rang in time); 2 usage or set-up (no such region, no permission, no space); 130 interrupted."""


def main(argv: list[str] | None = None) -> int:
    """Run one command line, print its answer, and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        if argv[:1] == ["serve"]:
            from .serve import main as serve

            return serve(argv[1:])[0]
        code = _print(argv)
        sys.stdout.flush()
        return code
    except PhysbufError as error:
        _complain(argv, error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        _complain(argv, PhysbufError(f"{error.filename or 'output'}: {error.strerror or error}"))
        return USAGE
    except ImportError as error:
        if error.name != "physbuf._native" and "libphysbuf" not in str(error):
            raise
        _complain(
            argv, PhysbufError(f"the compiled part cannot be loaded: {error}; install libphysbuf, or physbuf anew")
        )
        return USAGE


def execute(argv: list[str]) -> tuple[int, dict[str, Any] | bytes]:
    """Run one command line for another program: the exit code, and the JSON object (raw bytes for a dump).

    Nothing is printed or read, nothing raised: an error is ``{"error": message}``, help ``{"help": text}``.
    """
    try:
        code, answer = _run(argv, None)[1:]
        return code, bytes(answer) if isinstance(answer, memoryview) else answer
    except PhysbufError as error:
        return error.exit_code, {"error": str(error)}
    except _Help as help_text:
        return DONE, {"help": str(help_text)}
    except OSError as error:
        return USAGE, {"error": str(error)}


class _Help(Exception):  # noqa: N818 it is no error
    """The text of --help or --version, on its way out."""


def _run(argv: list[str], stdin: BinaryIO | None) -> tuple[Namespace, int, dict[str, Any] | memoryview]:
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    # argparse takes the words behind an option in the middle for unknown ones.
    if rest and args.command == "log append" and not any(word.startswith("-") for word in rest):
        args.text += rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    code, answer = args.run(args, stdin)
    return args, code, answer


def _print(argv: list[str]) -> int:
    try:
        args, code, answer = _run(argv, sys.stdin.buffer)
    except _Help as help_text:
        sys.stdout.write(str(help_text))
        return DONE
    if isinstance(answer, memoryview):
        if sys.stdout.isatty():
            raise PhysbufError("dump: will not write raw memory to a terminal; name a file with -o, or use a pipe")
        sys.stdout.flush()
        for at in range(0, len(answer), 1 << 20):
            sys.stdout.buffer.write(answer[at : at + (1 << 20)])
    elif args.json:
        _print_json(answer)
    else:
        from .show import show

        text, note = show(args.command, answer)
        if text:
            print(text)
        if note:
            sys.stdout.flush()
            print(note, file=sys.stderr)
    return code


def _print_json(answer: dict[str, Any]) -> None:
    import json

    print(json.dumps(answer))


def _complain(argv: list[str], error: PhysbufError) -> None:
    """An error goes to stderr; with --json it is on stdout, too, so that a program reading that sees it."""
    print(f"physbuf: {error}", file=sys.stderr)
    if "--json" in argv:
        _print_json({"error": str(error)})


def _parser() -> ArgumentParser:
    import argparse

    class Parser(argparse.ArgumentParser):
        """Raises where argparse would print and exit."""

        def error(self, message: str) -> Any:
            raise PhysbufError(f"{message}; see {self.prog} --help")

        def _print_message(self, message: str, file: Any = None) -> None:
            raise _Help(message)

    from . import __version__

    parser = Parser(
        prog="physbuf",
        description="RAM that survives a reboot: look at it, fill it, digest it, log into it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"physbuf {__version__}")
    groups = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(where: Any, name: str, run: Any, about: str, label: str | None = None) -> ArgumentParser:
        sub: ArgumentParser = where.add_parser(name, help=about, description=about, allow_abbrev=False)
        sub.add_argument("--json", action="store_true", help="answer with one JSON object")
        sub.set_defaults(run=run, command=label or name)
        return sub

    def region(sub: ArgumentParser, optional: bool = False) -> None:
        sub.add_argument("region", metavar="REGION", nargs="?" if optional else None, help="a name, or a path with a /")

    region(add(groups, "info", commands.info, "the regions of this machine, or one region or file"), optional=True)

    sub = add(groups, "doctor", commands.doctor, "find the step that dropped a reservation")
    sub.add_argument("--manifest", metavar="FILE", help="what the image declares (default: /etc/physbuf/manifest.json)")

    sub = add(groups, "fill", commands.fill, "fill a region with a seeded pattern; its content is gone")
    region(sub)
    sub.add_argument("--seed", required=True, metavar="S", help="64 bits: decimal, or hexadecimal with 0x")

    sub = add(groups, "digest", commands.digest, "the SHA-256 of a region")
    region(sub)
    sub.add_argument("--pages", action="store_true", help="with the CRC32C of each 4096-byte page (in the JSON)")

    sub = add(groups, "dump", commands.dump, "the raw content of a region, to stdout or a file")
    region(sub)
    sub.add_argument("--offset", metavar="N", help="bytes to skip, as 4096, 0x1000 or 4K (default: 0)")
    sub.add_argument("--size", metavar="N", help="bytes to write (default: to the end)")
    sub.add_argument("-o", "--output", metavar="FILE", help="a file, replaced only when the dump is complete")

    def place(sub: ArgumentParser, about: str = "REGION+OFFSET, or a physical address inside a region") -> None:
        sub.add_argument("place", metavar="PLACE", help=about)

    sub = add(groups, "peek", commands.peek, "read from a region or a register, one access a value")
    place(sub)
    sub.add_argument("--width", default="4", metavar="N", help="bytes of an access: 1, 2, 4 or 8 (default: 4)")
    sub.add_argument("--count", default="1", metavar="N", help="so many values, one behind the other (default: 1)")

    sub = add(groups, "poke", commands.poke, "write to a region or a register, by one access; nothing is read")
    place(sub)
    sub.add_argument("value", metavar="VALUE", help="decimal, or hexadecimal with 0x")
    sub.add_argument("--width", default="4", metavar="N", help="bytes of the access: 1, 2, 4 or 8 (default: 4)")

    sub = add(groups, "load", commands.load, "copy a file into a region, and read it back; nothing else is touched")
    sub.add_argument("file", metavar="FILE", help="a file, or - for stdin")
    place(sub)

    sub = add(groups, "clean", commands.clean, "write a region back from the processor's caches to memory")
    place(sub, "REGION, REGION+OFFSET or REGION+OFFSET+LENGTH; to the end without a length")

    region(add(groups, "ring", commands.ring, "wake who waits for a region"))

    sub = add(groups, "wait", commands.wait, "wait until a region is rung")
    region(sub)
    sub.add_argument("--timeout", metavar="S", help="give up after S seconds, with exit code 1 (default: never)")

    about = "records that survive: append, read, format"
    log = groups.add_parser("log", help=about, description=about, allow_abbrev=False)
    logs = log.add_subparsers(metavar="COMMAND", required=True)

    sub = add(
        logs, "append", commands.log_append, "append records; each TEXT is one, else each line of stdin", "log append"
    )
    region(sub)
    sub.add_argument("text", metavar="TEXT", nargs="*", help="the payload of a record")
    sub.add_argument("--kind", default="0", metavar="N", help="the application's number, 0 .. 65535 (default: 0, text)")
    sub.add_argument(
        "--severity", default="info", metavar="S", help="as in syslog: emerg .. debug, or 0 .. 7 (default: info)"
    )
    sub.add_argument("--format", action="store_true", help="format the region if it holds no log; its content is gone")

    sub = add(logs, "read", commands.log_read, "read the records, oldest first, and report what was lost", "log read")
    region(sub)
    sub.add_argument("--epoch", metavar="N", help="only this epoch (boot); -1 is the newest, -2 the one before")

    sub = add(logs, "format", commands.log_format, "make an empty log of a region; its content is gone", "log format")
    region(sub)
    sub.add_argument("--force", action="store_true", help="even if it holds a log")

    serve = groups.add_parser("serve", help="run commands for the lab, over a console", add_help=False)
    serve.set_defaults(run=_no_serve, command="serve", json=False)
    return parser


def _no_serve(*_: object) -> Any:
    raise PhysbufError("serve: works only as a command of its own")


if __name__ == "__main__":
    raise SystemExit(main())
