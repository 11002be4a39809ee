# SPDX-License-Identifier: MIT
"""``physbuf log append | read | format``."""

from __future__ import annotations

from .errors import DONE, FAULT, PhysbufError
from .log import SEVERITIES, LogReader, LogWriter, Record, format_log, holds_log
from .region import Region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable
    from typing import Any

__all__ = ["append", "format_region", "read", "show"]


def append(args: Namespace, stdin: Iterable[bytes] | None) -> tuple[int, dict[str, Any]]:
    """One record a TEXT, else one a line of stdin, committed as it comes."""
    kind = _number("--kind", args.kind)
    severity = _severity(args.severity)
    if args.text:
        lines: Iterable[bytes] = (text.encode(errors="surrogateescape") for text in args.text)
    elif stdin is not None:
        lines = (line.removesuffix(b"\n") for line in stdin)
    else:
        raise PhysbufError("log append: no TEXT; name at least one")
    with Region.open(args.region, writable=True) as region:
        formatted = args.format and not holds_log(region)
        if formatted:
            format_log(region)
        sequences = []
        with LogWriter(region) as log:
            for line in lines:
                sequences.append(log.append(line, kind, severity))
            answer = {
                "region": region.name,
                "epoch": log.epoch,
                "appended": len(sequences),
                "first_sequence": sequences[0] if sequences else None,
                "last_sequence": sequences[-1] if sequences else None,
                "formatted": formatted,
            }
    return DONE, answer


def read(args: Namespace) -> tuple[int, dict[str, Any]]:
    """All records, or those of one epoch, and the report on the whole log."""
    epoch = None if args.epoch is None else _number("--epoch", args.epoch)
    with Region.open(args.region) as region:
        log = LogReader(region)
        records = list(log)
        report = log.report
        if epoch is not None:
            wanted = _resolve(epoch, records)
            records = [record for record in records if record.epoch == wanted]
        answer = {
            "region": region.name,
            "records": [_as_dict(record) for record in records],
            "report": report.as_dict(),
        }
        return DONE if report.clean else FAULT, answer


def format_region(args: Namespace) -> tuple[int, dict[str, Any]]:
    """A new, empty log; over another one only by force."""
    with Region.open(args.region, writable=True) as region:
        if holds_log(region) and not args.force:
            raise PhysbufError(
                f"region {region.target!r}: it holds a log already; read it (physbuf log read {region.target}), or "
                f"destroy it: physbuf log format {region.target} --force"
            )
        format_log(region)
        return DONE, {"region": region.name, "size": region.size}


def show(command: str, answer: dict[str, Any]) -> tuple[str, str]:
    """The answers for a reader: the records for stdout, the report for stderr."""
    if command == "log read":
        report = answer["report"]
        note = f"{answer['region']}: {_counted(report['records'], 'record')} of {_counted(report['epochs'], 'epoch')}, "
        note += f"{report['torn']} torn, {_counted(report['damaged'], 'damaged sub-buffer')}, "
        note += f"{_counted(report['gaps'], 'gap')} ({report['lost']} lost), {report['overwritten']} overwritten"
        return "\n".join(_line(record) for record in answer["records"]), note
    if command == "log append":
        note = f"{answer['region']}: {_counted(answer['appended'], 'record')} appended in epoch {answer['epoch']}"
        return note + (" of a new log" if answer["formatted"] else ""), ""
    return f"{answer['region']}: an empty log of {answer['size']} bytes", ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _line(record: dict[str, Any]) -> str:
    """One line a record; what could move a terminal's cursor is escaped."""
    from datetime import UTC, datetime

    seconds, nanoseconds = divmod(record["time_ns"], 10**9)
    try:
        when = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, ValueError):
        when = str(seconds)
    if "text" in record:
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in record["text"])
    else:
        text = f"base64:{record['data']}"
    kind = f" kind={record['kind']}" if record["kind"] else ""
    return f"{record['epoch']}:{record['sequence']} {when}.{nanoseconds:09d}Z {_name(record['severity'])}{kind} {text}"


def _as_dict(record: Record) -> dict[str, Any]:
    """A record in JSON: its payload is ``text`` if it is UTF-8, else ``data`` in base64."""
    entry: dict[str, Any] = {
        "sequence": record.sequence,
        "epoch": record.epoch,
        "boot_id": record.boot_id,
        "time_ns": record.time_ns,
        "kind": record.kind,
        "severity": record.severity,
    }
    try:
        return entry | {"text": record.payload.decode()}
    except UnicodeDecodeError:
        from base64 import b64encode

        return entry | {"data": b64encode(record.payload).decode()}


def _resolve(epoch: int, records: list[Record]) -> int:
    """An epoch as asked for: below zero it counts from the newest, -1, back."""
    if epoch >= 0:
        return epoch
    epochs = sorted({record.epoch for record in records})
    return epochs[epoch] if -epoch <= len(epochs) else 0


def _name(severity: int) -> str:
    return SEVERITIES[severity] if severity < len(SEVERITIES) else str(severity)


def _severity(text: str) -> int:
    if text in SEVERITIES:
        return SEVERITIES.index(text)
    number = _number("--severity", text) if text.isdigit() else -1
    if not 0 <= number < len(SEVERITIES):
        raise PhysbufError(f"--severity {text!r}: must be one of {', '.join(SEVERITIES)}, or 0 .. 7")
    return number


def _number(option: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise PhysbufError(f"{option} {text!r}: not a number") from None
