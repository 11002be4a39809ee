# SPDX-License-Identifier: MIT
"""A region, mapped: its bytes without a copy, the pattern, the digests."""

from __future__ import annotations

import errno
import os

from ._native import ffi, lib
from .errors import PhysbufError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

__all__ = ["DEVICES", "PAGE", "Region"]

PAGE = 4096
DEVICES = "/dev/physbuf"


class Region:
    """A mapped region; a context manager. Make one with :meth:`open`.

    A view of its bytes keeps the mapping alive, so that using one after :meth:`close` is safe.
    """

    __slots__ = ("_data", "_handle", "base", "kind", "name", "path", "size", "target", "writable")

    name: str
    kind: str
    path: str
    base: int | None
    size: int

    def __init__(self, handle: Any, target: str, writable: bool) -> None:
        self._handle = handle
        # The mapping lives as long as anything made from this pointer. What is not mapped has its own handle for that.
        self._data = ffi.gc(lib.physbuf_data(handle) or handle, lambda _: lib.physbuf_close(handle))
        self.target = target
        self.writable = writable
        self.name = os.fsdecode(ffi.string(lib.physbuf_name(handle)))
        self.path = os.fsdecode(ffi.string(lib.physbuf_path(handle)))
        self.kind = ffi.string(lib.physbuf_kind(handle)).decode()
        self.size = lib.physbuf_size(handle)
        base = ffi.new("uint64_t *")
        self.base = None if lib.physbuf_base(handle, base) else base[0]

    @classmethod
    def open(cls, target: str, writable: bool = False) -> Region:
        """Map a region: NAME is /dev/physbuf/NAME, anything with a ``/`` is the path of a device, file or dump."""
        handle = ffi.new("struct physbuf_region **")
        access = lib.PHYSBUF_WRITE if writable else lib.PHYSBUF_READ
        if "\0" in target:
            raise PhysbufError(f"region {target!r}: a name has no zero byte")
        result = lib.physbuf_open(os.fsencode(target), access, handle)
        if result:
            raise PhysbufError(_why_not(target, writable, -result))
        return cls(handle[0], target, writable)

    def close(self) -> None:
        """Give the region back; its lock, too. It is unmapped when the last view of it is gone."""
        if self._handle is not None:
            lib.physbuf_unlock(self._handle)
        self._handle = self._data = None

    def __enter__(self) -> Region:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self.size

    @property
    def handle(self) -> Any:
        """The ``struct physbuf_region *``, for the other modules of this package."""
        if self._handle is None:
            raise PhysbufError(f"region {self.target!r}: it is closed")
        return self._handle

    @property
    def keep(self) -> Any:
        """Who holds this keeps the mapping."""
        return self._data

    @property
    def buffer(self) -> memoryview:
        """The bytes themselves, without a copy; writable if the region is."""
        self.require_content("read")
        _ = self.handle
        view = memoryview(ffi.buffer(self._data, self.size))
        return view if self.writable else view.toreadonly()

    def fill(self, seed: int) -> None:
        """Fill the region with the pattern of a 64-bit seed; refuses while a log writer holds the region."""
        self.require_content("fill")
        result = lib.physbuf_fill(self.handle, seed)
        if result:
            raise self.error("fill", -result)

    def sha256(self) -> str:
        """The SHA-256 of the whole region, in hexadecimal."""
        import hashlib

        self.require_content("digest")
        return hashlib.sha256(self.buffer).hexdigest()

    def page_crcs(self) -> bytes:
        """The CRC32C of each 4096-byte page as a little-endian 32-bit word; the last page may be short."""
        self.require_content("digest")
        out = ffi.new("uint8_t[]", 4 * lib.physbuf_pages(self.handle))
        lib.physbuf_page_crcs(self.handle, out)
        return bytes(ffi.buffer(out))

    @property
    def descriptor(self) -> int:
        """The file descriptor, which stays the region's."""
        return int(lib.physbuf_fd(self.handle))

    def lock(self) -> None:
        """Be the only writer, until the region is closed; PhysbufError if another one is."""
        result = lib.physbuf_lock(self.handle)
        if result:
            raise self.error("lock", -result)

    def clean(self, offset: int, length: int) -> None:
        """Write a range back from the caches to memory; of a file, to its storage."""
        result = lib.physbuf_clean(self.handle, offset, length)
        if result:
            raise self.error("clean", -result)

    def ring(self) -> None:
        """Wake everybody who waits for the region."""
        result = lib.physbuf_ring(self.handle)
        if result:
            raise self.error("ring", -result)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the region is rung: how often it was since the last wait or the open; 0 after timeout seconds."""
        import time

        deadline = None if timeout is None else time.monotonic() + timeout
        rings = ffi.new("uint64_t *")
        while True:
            # A second at a time: a signal that comes just before the wait is then not left until the bell rings.
            rest = 1.0 if deadline is None else max(0.0, min(1.0, deadline - time.monotonic()))
            result = lib.physbuf_wait(self.handle, int(rest * 1000 + 0.999), rings)
            if not result:
                return int(rings[0])
            if -result not in (errno.ETIMEDOUT, errno.EINTR):
                raise self.error("wait", -result)
            if deadline is not None and time.monotonic() >= deadline:
                return 0

    def require_content(self, action: str) -> None:
        """PhysbufError for the kinds whose bytes are not content: they cannot be filled, digested or logged into."""
        why = _NO_CONTENT.get(self.kind)
        if why:
            raise PhysbufError(f"region {self.target!r}: {action}: it is of kind {self.kind}: {why}")

    def error(self, action: str, number: int) -> PhysbufError:
        """What a failed call on this region means; number is an errno."""
        why = _WHY.get(number, os.strerror(number) + ".")
        return PhysbufError(f"region {self.target!r}: {action}: " + why.format(size=self.size, target=self.target))


_NO_CONTENT = {
    "dma": "it holds buffers of programs that have it open, and nothing else",
    "regs": "a device's registers are read and written one by one, by physbuf peek and physbuf poke",
}
_WHY = {
    errno.EBUSY: "another process writes it; end that one first, the lock goes with it",
    errno.EBADF: "it is open for reading only; open it with writable=True",
    errno.ENOSPC: "{size} bytes are too few for a log; it needs 16384",
    errno.ENODATA: "it holds no log; make one with: physbuf log format {target}",
    errno.EBADMSG: "it holds a log whose two superblocks are damaged; save it (physbuf dump {target} -o FILE), "
    "then begin anew with: physbuf log format {target} --force",
    errno.EPROTONOSUPPORT: "its log is of another version; read it with the version of physbuf that wrote it, "
    "or begin anew with: physbuf log format {target} --force",
    errno.EOPNOTSUPP: "this machine or this kind of region cannot; physbuf info {target} shows kind and cleaner",
    errno.ENOTTY: "only a physbuf device can, of a module that knows how; the devices are in " + DEVICES,
}


def _why_not(target: str, writable: bool, number: int) -> str:
    """The message for a region that cannot be opened."""
    head = f"region {target!r}: "
    path = target if "/" in target else f"{DEVICES}/{target}"
    if number == errno.ENOENT and "/" not in target:
        known = _known()
        there = f"; there are: {', '.join(known)}" if known else "; there is none, is the module loaded?"
        return (
            f"{head}there is no {path}{there} (physbuf doctor tells what is missing; a file needs a '/', as ./{target})"
        )
    if number == errno.ENOENT:
        return f"{head}no such file; check the path"
    if number == errno.EPERM and path.startswith(DEVICES + "/"):
        if writable and _is_state(path.removeprefix(DEVICES + "/")):
            return f"{head}it has role=state: the module alone writes it; programs may read it"
        return f"{head}a device's registers are for root alone (CAP_SYS_RAWIO), and not under kernel lockdown"
    if number in (errno.EACCES, errno.EPERM):
        wanted = "write" if writable else "read"
        if path.startswith(DEVICES + "/"):
            return (
                f"{head}no permission to {wanted} {path}; join the group physbuf (usermod -aG physbuf USER), or be root"
            )
        return f"{head}no permission to {wanted} it; change its mode, or be its owner"
    if number == errno.ENODATA:
        return f"{head}the file is empty; give it a size first, as truncate -s 16M"
    if number == errno.EISDIR:
        return f"{head}that is a directory; name a file or a device in it"
    if number == errno.ENODEV:
        return f"{head}not a physbuf device, a file or a dump; the devices are in {DEVICES}"
    if number == errno.EROFS:
        return f"{head}it is on a read-only file system; copy it elsewhere to write"
    return f"{head}cannot open {path}: {os.strerror(number)}"


def _is_state(name: str) -> bool:
    return os.path.exists(f"/sys/class/physbuf/{name}/last_exit")


def _known() -> list[str]:
    try:
        return sorted(os.listdir(DEVICES))
    except OSError:
        return []
