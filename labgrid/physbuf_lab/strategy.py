# SPDX-License-Identifier: MIT
"""The way of a board from unknown to tested.

::

    unknown --> flashed --> ready --.
                   ^                | power_cycle, recover
                   '----------------'

``flashed``: no power; the image is on the storage, was read back and has the digest of its manifest. ``ready``: it
booted, answers on the console and reports the same image. The storage is written once, however often the board boots.
"""

from __future__ import annotations

import enum
import json
import time
from pathlib import Path

import attr
from labgrid.factory import target_factory
from labgrid.protocol import PowerProtocol
from labgrid.step import step
from labgrid.strategy import Strategy, StrategyError
from labgrid.strategy.common import never_retry

from .channel import ChannelDriver, Hello
from .errors import BoardError, SetupError
from .manifest import Manifest

__all__ = ["PhysbufStrategy", "Status"]


class Status(enum.Enum):
    """Where the board stands."""

    unknown = 0
    flashed = 1
    ready = 2


@target_factory.reg_driver
@attr.s(eq=False)
class PhysbufStrategy(Strategy):
    """Flash, boot, and boot again.

    Args:
        image (str): key of the environment's ``images``
        storage (str): the device that holds the image, as the board names it
        boot_timeout (float): seconds from power or reset to an answer on the console
    """

    bindings = {"power": PowerProtocol, "channel": ChannelDriver}
    image: str = attr.ib(default="firmware", validator=attr.validators.instance_of(str))
    storage: str = attr.ib(default="/dev/vda", validator=attr.validators.instance_of(str))
    boot_timeout: float = attr.ib(default=120.0, validator=attr.validators.instance_of(float))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.status = Status.unknown
        self.hello: Hello | None = None
        self.flashed_digest: str | None = None
        self.reported_digest: str | None = None
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest of the environment's image, unless ``use_image`` named another."""
        if self._manifest is None:
            self._manifest = Manifest(Path(self.target.env.config.get_image_path(self.image)).resolve())
        return self._manifest

    def use_image(self, image: Path) -> None:
        """Test this image (a file, or the folder of disk.img) instead of the environment's."""
        self._manifest = Manifest(image)

    @never_retry
    @step(args=["status"])
    def transition(self, status: Status | str) -> None:
        """Bring the board to ``flashed`` or ``ready``; StrategyError when it does not get there, and ever after."""
        status = Status[status] if isinstance(status, str) else status
        if status == self.status:
            return
        if status == Status.flashed:
            self._flash()
        elif status == Status.ready:
            if self.status == Status.unknown:
                self._flash()
            self._boot()
            self._check_image()
        else:
            raise StrategyError(f"no way to {status}")
        self.status = status

    @step(args=["seconds_off"])
    def power_cycle(self, seconds_off: float) -> float:
        """Off for a time, then on and ready again; returns the seconds off as measured here."""
        self._activate()
        self.power.off()
        off_since = time.monotonic()
        time.sleep(seconds_off)
        mark = self.channel.transcript.mark()
        self.power.on()
        off = time.monotonic() - off_since
        self.await_boot(mark)
        return off

    def await_boot(self, mark: int) -> Hello:
        """Wait until the board is up again after an event that was marked in the transcript."""
        hello: Hello = self.channel.await_boot(mark, self.boot_timeout)
        found, declared = (hello.kernel, hello.version), (self.manifest.kernel, self.manifest.physbuf)
        if found != declared:
            raise BoardError(
                f"booted Linux and physbuf {' and '.join(found)}, the manifest has {' and '.join(declared)}"
            )
        self.hello = hello
        return hello

    def _activate(self) -> None:
        self.target.activate(self.power)
        self.target.activate(self.channel)

    def _flash(self) -> None:
        self._activate()
        self.manifest.check_image()
        if not hasattr(self.power, "write_image"):
            raise SetupError(f"{type(self.power).__name__} cannot write an image; only an emulated board can yet")
        self.power.off()
        self.flashed_digest = self.power.write_image(str(self.manifest.image))
        if self.flashed_digest != self.manifest.sha256:
            raise BoardError(f"flashed {self.manifest.sha256}, read back {self.flashed_digest}: the storage is bad")

    def _boot(self) -> None:
        mark = self.channel.transcript.mark()
        self.power.on()
        self.await_boot(mark)

    def _check_image(self) -> None:
        """The booted system must be the one that was flashed: its manifest and its whole storage."""
        content = self.channel.program("cat", "/etc/physbuf/manifest.json")["stdout"]
        try:
            declared = json.loads(content)
        except ValueError as error:
            raise BoardError(f"the booted system has no manifest: {content[:80]!r}") from error
        if declared != self.manifest.declared:
            raise BoardError("the manifest of the booted system is not the one beside the image; flash the right image")
        digest = f"head -c {self.manifest.size} {self.storage} | sha256sum"
        self.reported_digest = self.channel.program("sh", "-c", digest, timeout=120.0)["stdout"].split(" ")[0]
        if self.reported_digest != self.manifest.sha256:
            raise BoardError(f"the board reports image {self.reported_digest}, flashed was {self.manifest.sha256}")
