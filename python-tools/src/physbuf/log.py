# SPDX-License-Identifier: MIT
"""The record log of a region: append, and read back after the reset."""

from __future__ import annotations

from ._native import ffi, lib
from .errors import PhysbufError
from .region import Region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["SEVERITIES", "LogReader", "LogWriter", "Record", "Report", "format_log", "holds_log"]

SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
INFO = 6
MAX_KIND = 0xFFFF


class Record:
    """One record.

    ``sequence`` (1 is the log's first), ``epoch`` (1 is the first boot that wrote) and its ``boot_id``,
    ``time_ns`` since 1970 by the writer's clock, ``kind`` (0 is text), ``severity`` (0 emerg .. 7 debug), ``payload``.
    """

    __slots__ = ("boot_id", "epoch", "kind", "offset", "payload", "sequence", "severity", "time_ns")

    sequence: int
    epoch: int
    boot_id: str
    time_ns: int
    offset: int
    kind: int
    severity: int
    payload: bytes

    def __repr__(self) -> str:
        return f"Record(sequence={self.sequence}, epoch={self.epoch}, kind={self.kind}, payload={self.payload!r})"


class Report:
    """What a reader found and missed; docs/format.md tells how each is counted.

    ``records`` valid ones; ``epochs`` seen; ``torn`` records, begun but not committed, or with a wrong checksum;
    ``damaged`` sub-buffers; ``gaps`` in the sequence, with ``lost`` numbers in all; ``overwritten`` by newer records.
    """

    __slots__ = ("damaged", "epochs", "gaps", "lost", "overwritten", "records", "torn")

    records: int
    epochs: int
    torn: int
    damaged: int
    gaps: int
    lost: int
    overwritten: int

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong. Overwriting the oldest is not: that is what a flight recorder does."""
        return not (self.torn or self.damaged or self.gaps)

    def as_dict(self) -> dict[str, int]:
        """The report as it stands in JSON."""
        return {
            name: getattr(self, name)
            for name in ("records", "epochs", "torn", "damaged", "gaps", "lost", "overwritten")
        }


class LogWriter:
    """Goes on with the log of a region open for writing; a context manager. The only writer as long as it is open."""

    def __init__(self, region: Region) -> None:
        """PhysbufError if the region holds no log, or has a writer already."""
        region.require_content("log")
        writer = ffi.new("struct physbuf_writer **")
        result = lib.physbuf_writer_open(region.handle, writer)
        if result:
            raise region.error("log", -result)
        self._region = region
        self._writer = writer[0]
        self._keep = region.keep
        self.epoch: int = lib.physbuf_writer_epoch(self._writer)
        self.limit: int = lib.physbuf_writer_limit(self._writer)

    def append(self, payload: bytes | bytearray | memoryview, kind: int = 0, severity: int = INFO) -> int:
        """Append a record of at most ``limit`` bytes; it is committed on return. Its sequence number."""
        if self._writer is None:
            raise PhysbufError(f"region {self._region.target!r}: the log is closed")
        if not 0 <= kind <= MAX_KIND:
            raise PhysbufError(f"kind {kind}: must be 0 .. {MAX_KIND}")
        if not 0 <= severity < len(SEVERITIES):
            raise PhysbufError(f"severity {severity}: must be 0 (emerg) .. 7 (debug)")
        content = ffi.from_buffer(payload)
        if len(content) > self.limit:
            raise PhysbufError(
                f"region {self._region.target!r}: a record of {len(content)} bytes is longer than the {self.limit} "
                "that its sub-buffers take; split it"
            )
        sequence = ffi.new("uint64_t *")
        result = lib.physbuf_writer_append(self._writer, kind, severity, content, len(content), sequence)
        if result:
            raise self._region.error("log", -result)
        number: int = sequence[0]
        return number

    def close(self) -> None:
        """Let another writer in. All that was appended is committed already."""
        if self._writer is not None:
            lib.physbuf_writer_close(self._writer)
        self._writer = self._keep = None

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class LogReader:
    """Iterates over the valid records, oldest first, without changing anything. Once through."""

    def __init__(self, region: Region) -> None:
        """PhysbufError if the region holds no log."""
        region.require_content("log")
        reader = ffi.new("struct physbuf_reader **")
        result = lib.physbuf_reader_open(region.handle, reader)
        if result:
            raise region.error("log", -result)
        self._reader = ffi.gc(reader[0], lib.physbuf_reader_close)
        self._keep = region.keep
        self._record = ffi.new("struct physbuf_record *")
        self._payload = ffi.new("const void **")

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        if lib.physbuf_reader_next(self._reader, self._record, self._payload) != 1:
            raise StopIteration
        found, record = self._record, Record()
        record.sequence = found.sequence
        record.epoch = found.epoch
        record.boot_id = _uuid(bytes(ffi.buffer(found.boot_id)))
        record.time_ns = found.time_ns
        record.offset = found.offset
        record.kind = found.kind
        record.severity = found.severity
        record.payload = bytes(ffi.buffer(self._payload[0], found.length))
        return record

    @property
    def report(self) -> Report:
        """What was found and missed so far; complete when the iteration has ended."""
        found, report = ffi.new("struct physbuf_report *"), Report()
        lib.physbuf_reader_report(self._reader, found)
        for name in Report.__slots__:
            setattr(report, name, getattr(found, name))
        return report


def format_log(region: Region, sub_size: int = 0) -> None:
    """Make an empty log of a region open for writing; its content is gone. ``sub_size`` 0 chooses."""
    region.require_content("log format")
    result = lib.physbuf_format(region.handle, sub_size)
    if result:
        raise region.error("log format", -result)


def holds_log(region: Region) -> bool:
    """Whether there is a log in the region, be it damaged or of another version."""
    import errno

    region.require_content("log")
    reader = ffi.new("struct physbuf_reader **")
    result: int = lib.physbuf_reader_open(region.handle, reader)
    if not result:
        lib.physbuf_reader_close(reader[0])
    return result != -errno.ENODATA


def _uuid(raw: bytes) -> str:
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
