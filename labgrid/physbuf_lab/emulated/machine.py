# SPDX-License-Identifier: MIT
"""One QEMU process from power on to power off, and every reset in between.

No reset happens by itself: QEMU stops at each request, from the guest or from the reset line, so that the lab decides
what the reset does to RAM, counts it, and lets it go on. The monitor is served by a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import IO, Any

from qemu.qmp import QMPClient, QMPError

from ..errors import BoardError, SetupError

__all__ = ["Machine", "Reset"]

ANSWER_TIME = 20.0  # seconds for the monitor to answer on a busy host
PR_SET_PDEATHSIG = 1
PACKAGES = {"qemu-system-aarch64": "qemu-system-arm", "qemu-system-x86_64": "qemu-system-x86"}

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Reset:
    """A reset that happened: ``reason`` as QEMU names it (guest-reset, …), ``at`` in monotonic seconds."""

    reason: str
    at: float


class Machine:
    """A running QEMU; ``on_reset`` is called while the machine stands still in the middle of each reset."""

    def __init__(self, command: Sequence[str], files: Sequence[int], on_reset: Callable[[], None]) -> None:
        """Start ``command``, which may use the descriptors ``files``; SetupError when it cannot start."""
        self.resets: list[Reset] = []
        self._on_reset = on_reset
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed by kill()
        self.console, console = socket.socketpair()
        monitor_here, monitor = socket.socketpair()
        connections = [console.fileno(), monitor.fileno()]
        self._process = self._start([*command, *_connections(*connections)], [*files, *connections])
        console.close()
        monitor.close()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="qemu-monitor", daemon=True)
        self._thread.start()
        try:
            self._wait_for(self._connect(monitor_here))
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The process, for whoever wants to pull the plug."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def press_reset(self) -> None:
        """Pull the reset line; BoardError when there is nobody to feel it."""
        self._wait_for(self._execute("system_reset"))

    def kill(self) -> None:
        """Take the power away, in the middle of whatever it does."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        self.console.close()
        asyncio.run_coroutine_threadsafe(self._disconnect(), self._loop).result(ANSWER_TIME)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_TIME)
        self._loop.close()
        self._words.close()

    def why_dead(self) -> str:
        """How the process ended and its last words; it may still be on its way out."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ANSWER_TIME)
        self._words.seek(0)
        words = self._words.read().decode(errors="replace").strip().splitlines()[-3:]
        return f"the emulator ended with status {self._process.poll()}" + (f": {'; '.join(words)}" if words else "")

    def _start(self, command: list[str], files: list[int]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                pass_fds=files,
                start_new_session=True,  # a Ctrl-C is the lab's to handle, not the board's
                preexec_fn=_die_with_the_lab,
            )
        except FileNotFoundError as error:
            package = PACKAGES.get(command[0], "qemu-system")
            raise SetupError(f"missing tool {command[0]}; install it with: apt-get install {package}") from error

    async def _connect(self, monitor: socket.socket) -> None:
        self._monitor = QMPClient("board")
        self._monitor.logger.setLevel("CRITICAL")
        try:
            await self._monitor.connect(monitor)
        except (QMPError, OSError, EOFError) as error:
            raise SetupError(
                f"{self.why_dead()}; check the board's command and that its firmware is installed"
            ) from error
        self._watcher = asyncio.create_task(self._watch())
        await self._execute("cont")

    async def _watch(self) -> None:
        """Let each requested reset happen, once the lab has had its say about RAM."""
        with self._monitor.listener() as events:
            async for event in events:
                if event["event"] == "SHUTDOWN":
                    data: Any = event["data"]
                    if data["reason"] == "guest-shutdown":
                        self._process.kill()  # it switched itself off, and RAM goes with the power
                        return
                    self.resets.append(Reset(str(data["reason"]), time.monotonic()))
                    self._on_reset()
                    with contextlib.suppress(QMPError, OSError, EOFError):  # killed meanwhile: the console tells
                        await self._let_reset_happen()

    async def _let_reset_happen(self) -> None:
        with self._monitor.listener("RESET") as done:
            await self._execute("set-action", {"reboot": "reset"})
            await self._execute("system_reset")
            await self._execute("set-action", {"reboot": "shutdown"})
            await done.get()
        await self._execute("cont")

    async def _execute(self, command: str, arguments: dict[str, object] | None = None) -> object:
        return await self._monitor.execute(command, arguments)

    async def _disconnect(self) -> None:
        if hasattr(self, "_watcher"):
            self._watcher.cancel()
        with contextlib.suppress(QMPError, OSError, EOFError):  # the far end is dead, which is what was wanted
            await self._monitor.disconnect()

    def _wait_for(self, work: Any) -> Any:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(ANSWER_TIME)
        except (QMPError, OSError, EOFError, FutureTimeoutError) as error:
            why = f"the emulator does not answer: {error!r}" if self.alive else self.why_dead()
            raise BoardError(why) from error


def _connections(console: int, monitor: int) -> list[str]:
    return [
        "-chardev", f"socket,id=console,fd={console}",
        "-serial", "chardev:console",
        "-chardev", f"socket,id=monitor,fd={monitor}",
        "-mon", "chardev=monitor,mode=control",
        "-action", "reboot=shutdown,shutdown=pause",
        "-S",
    ]  # fmt: skip


def _die_with_the_lab() -> None:
    """No orphan stays behind, not even when the lab is killed."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
