# SPDX-License-Identifier: MIT
"""The toolchain's tree: made once, made again when a package changed or when making it was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import toolchain
from packages import Deb
from steps import BuildError
from toolchain import Toolchain


class Packages:
    """An archive that has one package."""

    version = "1"

    def closure(self, names: Iterable[str]) -> list[Deb]:
        assert "linux-headers-x" in names
        return [Deb("gcc", self.version, Path(f"gcc_{self.version}_amd64.deb"))]


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[list[Deb]]:
    """What was unpacked, each time."""
    calls: list[list[Deb]] = []

    def unpack(debs: list[Deb], tree: Path, _: Sequence[str]) -> None:
        calls.append(debs)
        (tree / "usr/bin").mkdir(parents=True)

    monkeypatch.setattr(toolchain, "unpack", unpack)
    return calls


def make(tree: Path, archive: Packages) -> None:
    Toolchain(tree).unpack(archive, ["linux-headers-x"])  # type: ignore[arg-type]


def test_it_is_made_once_for_the_same_packages(tmp_path: Path, unpacked: list[list[Deb]]) -> None:
    archive = Packages()
    make(tmp_path / "tree", archive)
    make(tmp_path / "tree", archive)
    assert len(unpacked) == 1
    assert (tmp_path / "tree/usr/bin/cc").readlink() == Path("gcc")
    archive.version = "2"
    (tmp_path / "tree/old").touch()
    make(tmp_path / "tree", archive)
    assert len(unpacked) == 2
    assert not (tmp_path / "tree/old").exists()


def test_an_interrupted_one_is_made_again(
    tmp_path: Path, unpacked: list[list[Deb]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def interrupted(debs: list[Deb], tree: Path, _: Sequence[str]) -> None:
            (tree / "usr/bin").mkdir(parents=True)
            raise KeyboardInterrupt

        patched.setattr(toolchain, "unpack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "tree", Packages())
    make(tmp_path / "tree", Packages())
    assert len(unpacked) == 1


def test_copies_are_fresh(tmp_path: Path) -> None:
    source = tmp_path / "log"
    source.mkdir()
    (source / "a.c").write_text("new")
    (source / "a.o").write_text("left over")
    kit = Toolchain(tmp_path / "tree")
    (kit.work / "log").mkdir(parents=True)
    (kit.work / "log/old.c").touch()
    kit.copy_in(source)
    assert [path.name for path in (kit.work / "log").iterdir()] == ["a.c"]


def test_a_host_that_forbids_namespaces_is_told_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: Sequence[str], **_: object) -> str:
        raise BuildError(f"`{' '.join(map(str, command[:1]))}` failed with status 1: {words}")

    monkeypatch.setattr(toolchain, "run", run)
    words = "unshare: unshare failed: Operation not permitted"
    with pytest.raises(BuildError, match=r"run as root, or allow user namespaces on this host$"):
        Toolchain(tmp_path).run("make")
    words = "make: *** error"
    with pytest.raises(BuildError, match=r"make: \*\*\* error$"):
        Toolchain(tmp_path).run("make")
