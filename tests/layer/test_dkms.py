# SPDX-License-Identifier: MIT
"""DKMS on real Debian systems: mmdebstrap makes each, apt installs dkms and a kernel's headers in it.

Needs root, for chroot and mounts. The kernel is named to dkms: the one that runs is the host's.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SYSTEMS = TOP / "build/dkms"

sys.path.insert(0, str(TOP / "recipes/debian"))

from packages import mirrors  # noqa: E402
from sources import copy_sources  # noqa: E402
from steps import run  # noqa: E402
from toolchain import Toolchain  # noqa: E402


@dataclass(frozen=True)
class System:
    """A Debian system with the module's source in /usr/src, not yet known to dkms."""

    root: Path
    kernel: str
    version: str

    @property
    def name(self) -> str:
        return f"physbuf/{self.version}"

    @property
    def modules(self) -> list[Path]:
        return list((self.root / "usr/lib/modules" / self.kernel).rglob("physbuf.ko*"))

    def run(self, *command: str) -> str:
        """Run a program inside; returns what it says, warnings too."""
        return Toolchain(self.root).run("sh", "-c", 'exec 2>&1; exec "$@"', "sh", *command)

    def status(self) -> str:
        return self.run("dkms", "status", self.name).strip()


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    if os.geteuid() != 0:
        pytest.fail("DKMS is tried in a chroot, which only root may enter; run: sudo make test-dkms")
    root = SYSTEMS / request.param
    shutil.rmtree(root, ignore_errors=True)
    SYSTEMS.mkdir(parents=True, exist_ok=True)
    packages = "--include=dkms,linux-headers-cloud-amd64"
    run(["mmdebstrap", "--quiet", "--variant=minbase", packages, request.param, root, *_sources(request.param)])

    version = _setting("PACKAGE_VERSION")
    copy_sources(TOP / "module", root / f"usr/src/physbuf-{version}")
    Toolchain(root).copy_in()
    [kernel] = os.listdir(root / "usr/lib/modules")
    yield System(root, kernel, version)
    shutil.rmtree(root)


def _sources(suite: str) -> list[str]:
    mirror, security = mirrors()
    lines = [f"deb {mirror} {suite} main", f"deb {mirror} {suite}-updates main"]
    return [*lines, f"deb {security} {suite}-security main"] if security else lines


def _setting(name: str) -> str:
    for line in (TOP / "module/dkms.conf").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == name:
            return value.strip('"')
    raise AssertionError(f"dkms.conf does not set {name}")


@pytest.fixture
def added(system: System) -> Iterator[str]:
    """What dkms said when the module was added; the module is removed in the end."""
    yield system.run("dkms", "add", system.name)
    if system.status():
        system.run("dkms", "remove", system.name, "--all")


def test_add_build_install_remove(system: System, added: str) -> None:
    said = added
    assert system.status() == f"{system.name}: added"
    for action, state in {"build": "built", "install": "installed"}.items():
        said += system.run("dkms", action, system.name, "-k", system.kernel)
        assert system.status() == f"{system.name}, {system.kernel}, x86_64: {state}"
    assert "deprecated" not in said.lower()
    assert "bad exit status" not in said

    assert [path.parent.relative_to(system.root) for path in system.modules] == [
        Path("usr/lib/modules", system.kernel, "updates/dkms")
    ]
    fields = {
        field: system.run("modinfo", "-k", system.kernel, "-F", field, "physbuf").strip()
        for field in ("version", "vermagic")
    }
    assert fields["version"] == system.version
    assert fields["vermagic"].split()[0] == system.kernel

    system.run("dkms", "remove", system.name, "--all")
    assert not system.modules
    assert not system.status()
    assert not (system.root / "var/lib/dkms/physbuf").exists()


def test_a_new_kernel_gets_the_module_by_itself(system: System, added: str) -> None:
    """What the kernel package's own hook calls."""
    system.run("/etc/kernel/postinst.d/dkms", system.kernel)
    assert system.status() == f"{system.name}, {system.kernel}, x86_64: installed"
    assert len(system.modules) == 1
